import { readInput } from "./files.ts";

/** Replaces every `@FILE` with the lines of that file, as Bazel writes it (`Args.set_param_file_format("multiline")`). */
export function expandFlagFiles(args: readonly string[]): string[] {
  return args.flatMap((arg) => (arg.startsWith("@") ? linesOf(readInput(arg.slice(1)).toString("utf8")) : [arg]));
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
