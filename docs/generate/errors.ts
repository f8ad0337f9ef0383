import { readFileSync } from "node:fs";
import { type ErrorCode, errorCodes } from "../../src/core/error-codes.ts";
import { code, sections } from "./markdown.ts";

/** The page of the error codes, in the sections that comments of the catalogue name. */
export function errorsPage(): string {
  return sections(
    "# Errors",
    [
      "An error names the culprit, says what to do, and ends with its code in brackets. Find the code here.",
      "The error itself is more exact than this page.",
    ].join(" "),
    [
      "With `--json`, a command that fails prints one line of JSON on stdout instead of its result:",
      '`{"error": {"code": "…", "culprit": "…", "problem": "…", "remedy": "…"}}`. The exit status is 2 for a mistake',
      "that you can correct, and 1 for every other failure.",
    ].join(" "),
    ...[...catalogue()].map(([title, codes]) => sections(`## ${title}`, contents(codes), ...codes.map(entry))),
  );
}

/** The codes by the title of their section. */
function catalogue(): ReadonlyMap<string, readonly ErrorCode[]> {
  const [, ...parts] = readFileSync("src/core/error-codes.ts", "utf8").split(/^ {2}\/\/ /m);
  return new Map(
    parts.map((part) => [
      part.slice(0, part.indexOf("\n")),
      [...part.matchAll(/^ {2}"([a-z-]+)": \{$/gm)].map(([, key]) => key as ErrorCode),
    ]),
  );
}

function contents(codes: readonly ErrorCode[]): string {
  return codes.map((key) => `[${code(key)}](#${key})`).join(" · ");
}

function entry(key: ErrorCode): string {
  const { meaning, remedy } = errorCodes[key];
  return `### ${key}\n\n${meaning}\n\n**Remedy:** ${remedy}`;
}
