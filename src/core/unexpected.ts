import { exitStatusOf, messageOf } from "./errors.ts";

/** Ends a tool of ours for what nobody caught in the way of every other error. Node would print a page of the bundle over it. */
export function reportUncaught(): void {
  process.on("uncaughtException", (error) => {
    process.stderr.write(`slipway: ${messageOf(error)}\n`);
    process.exit(exitStatusOf(error));
  });
}
