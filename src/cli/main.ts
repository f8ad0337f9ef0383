import process from "node:process";
import { exitStatusOf, jsonOf, reportOf } from "../core/errors.ts";
import { escapeText } from "../core/printable.ts";
import { atPath } from "../core/system-error.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { overview, widest } from "./overview.ts";

/** @returns the exit status: 0, 2 for a UserError, 1 for other failures */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 1 && /^(-h|--help)$/.test(args[0] ?? "") && (process.stdout.columns ?? widest) >= widest) {
    process.stdout.write(overview());
    return 0;
  }
  try {
    await (await import("./parse.ts")).parse(args);
    // A command may have set its own status.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Those after -- are for a program.
    const end = args.indexOf("--");
    if (args.slice(0, end < 0 ? undefined : end).includes("--json")) process.stdout.write(`${jsonOf(error)}\n`);
    process.stderr.write(`${reportOf(error)}\n`);
    return exitStatusOf(error);
  }
}

for (const stream of [process.stdout, process.stderr]) {
  escapeText(stream);
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The reader has exited, as `head` does. 141 is the status of a program that SIGPIPE killed.
    if (error.code === "EPIPE") process.exit(141);
    if (stream === process.stderr) process.exit(1);
    throw atPath(error, "standard output");
  });
}
reportUncaught();
process.exitCode = await main(process.argv.slice(2));
