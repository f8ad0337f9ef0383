import { errorCodes } from "../../src/core/error-codes.ts";
import { sections } from "./markdown.ts";

/** The page of the codes of errors. */
export function errorsPage(): string {
  return sections(
    "# Errors",
    "Slipway prints the code of an error in brackets at its end. With `--json` a command prints one line of JSON on stdout instead of its result: `{\"error\": {code, culprit, problem, remedy}}`. Exit status 2 means a mistake that you can correct, 1 any other failure.",
    ...Object.entries(errorCodes).map(([code, { meaning, remedy }]) => `## ${code}\n\n${meaning}\n\n${remedy}`),
  );
}
