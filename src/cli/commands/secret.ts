import { group } from "../command.ts";

export const secret = group("secret", {
  "set <name>": [
    "Store a value from standard input or a file, replacing an earlier one",
    () => import("./secret-store.ts"),
  ],
  ls: ["List secrets, where they are and when they were set, without their values", () => import("./secret-store.ts")],
  "rm <names..>": ["Remove secrets", () => import("./secret-store.ts")],
});
