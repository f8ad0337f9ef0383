import catalogue from "./error-codes.json" with { type: "json" };
import { code, sections } from "./markdown.ts";

/**
 * The codes of one subject. `meaning`: when it happens, one sentence. `remedy`: what usually helps, one or two
 * sentences. The error itself is more
 * exact.
 */
type Section = Readonly<Record<string, { readonly meaning: string; readonly remedy: string }>>;

/** The page of the error codes, in the sections of the catalogue. */
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
    ...Object.entries<Section>(catalogue).map(([title, codes]) =>
      sections(`## ${title}`, contents(Object.keys(codes)), ...Object.entries(codes).map(entry)),
    ),
  );
}

function contents(codes: readonly string[]): string {
  return codes.map((key) => `[${code(key)}](#${key})`).join(" · ");
}

function entry([key, { meaning, remedy }]: [string, Section[string]]): string {
  return `### ${key}\n\n${meaning}\n\n**Remedy:** ${remedy}`;
}
