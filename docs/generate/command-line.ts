import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { sections } from "./markdown.ts";

const run = promisify(execFile);

/**
 * The page of the command line: what `--help` says of every command.
 *
 * @param slipway path of the built tool
 */
export async function commandLinePage(slipway: string): Promise<string> {
  return sections(
    "# `slipway`",
    "`bazel run @slipway//:slipway -- COMMAND`, or `slipway COMMAND` once `slipway install` has put it on PATH. Exit status: 0, 2 for a " +
      "mistake of yours, 1 for a failure. What a program would read is on standard output, what is for people on standard error.",
    ...(await helpOf(slipway, [])),
  );
}

async function helpOf(slipway: string, command: readonly string[]): Promise<string[]> {
  const { stdout } = await run(slipway, [...command, "--help"], { env: { ...process.env, NO_COLOR: "1" } });
  const listed = /^Commands:\n((?: .*\n|\n(?= ))+)/m.exec(stdout)?.[1] ?? "";
  const prefix = `  slipway ${[...command, ""].join(" ")}`;
  const names = listed
    .split("\n")
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length).split(" ")[0] ?? "");
  const below = await Promise.all(names.map((name) => helpOf(slipway, [...command, name])));
  const title = `${"#".repeat(command.length + 1)} slipway ${command.join(" ")}`;
  const own = `\`\`\`text\n${stdout.trimEnd()}\n\`\`\``;
  return [...(command.length > 0 ? [title] : []), own, ...below.flat()];
}
