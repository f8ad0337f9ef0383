import process from "node:process";
import { exitStatusOf, messageOf } from "../core/errors.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { overview, widest } from "./overview.ts";

/**
 * Runs a command line.
 *
 * @param args without the program's name
 * @returns the exit status: 0, 2 for the user's mistakes, 1 for failures
 */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && args[0] === "--help" && (process.stdout.columns ?? widest) >= widest) {
    process.stdout.write(overview());
    return 0;
  }
  try {
    await (await import("./parse.ts")).parse(args);
    // A command may have an outcome of its own to tell by it.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return exitStatusOf(error);
  }
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Whoever read it has gone, as `head` does. The status is that of a program that the signal of this ended.
    if (error.code === "EPIPE") process.exit(141);
    throw error;
  });
}
reportUncaught();
process.exitCode = await main(process.argv.slice(2));
