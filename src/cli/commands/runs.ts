import { group } from "../command.ts";

export const runs = group("runs", {
  ls: [
    "List the runs of programs that called functions, oldest first",
    async () => (await import("./runs-store.ts")).ls,
  ],
  "show [run]": [
    "Show the steps of a run, and what became of their calls",
    async () => (await import("./runs-store.ts")).show,
  ],
  "logs [run]": ["Print what the functions of a run printed", async () => (await import("./runs-store.ts")).logs],
});
