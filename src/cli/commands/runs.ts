import { group } from "../command.ts";

export const runs = group("runs", {
  ls: ["List the runs of programs that called functions, oldest first", () => import("./runs-store.ts")],
  "show [run]": ["Show the steps of a run, and what became of their calls", () => import("./runs-store.ts")],
  "logs [run]": ["Print what the functions of a run printed", () => import("./runs-store.ts")],
});
