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

/** Reads a file of sections: `===== NAME`, the document, `----- CODE`, and a line for each mistake. */
export function readCorpus(path: string): readonly Malformed[] {
  return readFileSync(path, "utf8")
    .split(/^===== /m)
    .slice(1)
    .map((section) => {
      const [, name = "", text = "", code, mistakes = ""] =
        /^(.*?)\n(.*)^----- (\S+)\n(.*)\n$/ms.exec(section) ?? [];
      return { name, text, code: code as ErrorCode, mistakes: mistakes.split("\n") };
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
