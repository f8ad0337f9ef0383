import { readFileSync } from "node:fs";
import { expect } from "vitest";
import type { ErrorCode } from "../../core/error-codes.ts";
import { exitStatusOf, type UserError } from "../../core/errors.ts";

/** A document with mistakes. */
export interface Malformed {
  readonly name: string;
  readonly text: string;
  readonly code: ErrorCode;
  /** `LINE:COLUMN FIELD (did you mean OTHER?)`, where the field and the suggestion may be missing. */
  readonly mistakes: readonly string[];
}

/**
 * Reads a file of sections: `===== NAME`, the document, and `----- MISTAKE` for each mistake. All documents after a
 * section `+++++` begin with
 * its lines, which count in positions.
 */
export function readCorpus(path: string): readonly Malformed[] {
  let beginning: readonly string[] = [];
  return readFileSync(path, "utf8")
    .split(/^(?====== |\+{5}$)/m)
    .flatMap((section): Malformed[] => {
      const [head = "", ...lines] = section.split("\n").slice(0, -1);
      if (head === "+++++") {
        beginning = lines;
        return [];
      }
      const isMistake = (line: string) => line.startsWith("----- ");
      const mistakes = lines.filter(isMistake).map((line) => line.slice(6));
      const document = [...beginning, ...lines.filter((line) => !isMistake(line))];
      return [
        {
          name: head.slice(6),
          text: document.map((line) => `${line}\n`).join(""),
          // Text that cannot be read has no fields.
          code: mistakes[0]?.includes(" ") ? "field-invalid" : "file-invalid",
          mistakes,
        },
      ];
    });
}

/** The mistakes that an error of a document names, as a corpus has them. */
export function mistakesOf(error: UserError): readonly string[] {
  const place = /^[^:]+:(\d+:\d+): (the document|(?:"(?:[^"\\]|\\.)*"|\(a key\)|[^\s"])+) .*?(\(did you mean .*?\?\))?\.?$/;
  return error.problem.split("\n").flatMap((line) => {
    const [, position, field = "", meant] = place.exec(line) ?? [];
    return position === undefined
      ? []
      : [[position, ...(error.code === "file-invalid" ? [] : [field]), ...(meant === undefined ? [] : [meant])].join(" ")];
  });
}

/** Expects the error of a document of a corpus. */
export function expectMistakes(error: UserError, file: string, { code, mistakes }: Malformed): void {
  const [first = ""] = mistakes;
  expect(error).toMatchObject({ code, culprit: `${file}:${first.split(" ", 1)[0]}` });
  expect(mistakesOf(error)).toEqual(mistakes);
  expect(exitStatusOf(error)).toBe(2);
}
