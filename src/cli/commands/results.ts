import { group } from "../command.ts";

export const results = group("results", {
  "ls <repository>": [
    "List what each run of a program kept, oldest first",
    async () => (await import("./results-store.ts")).ls,
  ],
  "show <repository> <run>": [
    "Print the results of a run, each after its key",
    async () => (await import("./results-store.ts")).show,
  ],
  "rm <repository> <names..>": [
    "Remove the results of functions or runs",
    async () => (await import("./results-store.ts")).rm,
  ],
  "prune <repository>": ["Remove the results of old runs", async () => (await import("./results-store.ts")).prune],
});
