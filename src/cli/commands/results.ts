import { group } from "../command.ts";

export const results = group("results", {
  "ls <repository>": ["List what each run of a program kept, oldest first", () => import("./results-store.ts")],
  "show <repository> <run>": ["Print the results of a run, each after its key", () => import("./results-store.ts")],
  "rm <repository> <names..>": ["Remove the results of functions or runs", () => import("./results-store.ts")],
  "prune <repository>": ["Remove the results of old runs", () => import("./results-store.ts")],
});
