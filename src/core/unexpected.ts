import { exitStatusOf, reportOf } from "./errors.ts";

/** Prints uncaught errors like all others and exits. Node would also print a page of the bundle's source. */
export function reportUncaught(): void {
  process.on("uncaughtException", (error) => {
    process.stderr.write(`slipway: ${reportOf(error)}\n`);
    process.exit(exitStatusOf(error));
  });
}
