import { group } from "../command.ts";

/** Commands for the secrets that services refer to as `SECRET:NAME`. */
export const secret = group("secret", {
  "set <name>": [
    "Store a value from standard input or a file, replacing an earlier one",
    async () => (await import("./secret-store.ts")).set,
  ],
  ls: [
    "List secrets, where they are and when they were set, without their values",
    async () => (await import("./secret-store.ts")).ls,
  ],
  "rm <names..>": ["Remove secrets", async () => (await import("./secret-store.ts")).rm],
});
