import fc from "fast-check";
import { expect } from "vitest";
import { UserError } from "../../core/errors.ts";
import { defaultInstanceTypes } from "../../config/instance-types.ts";
import { parseServices } from "../read.ts";
import { malformed } from "./corpus.ts";

/** In every password of these tests; in no other text of theirs. */
const mark = "x7Qz";

const password = fc
  .tuple(
    fc.constantFrom("", "!", "!!", "*", "&", "|", ">", "%", "@", "`", "{", "[", '"', "'", "? ", "- ", "#", "\\", "secret:", "SECRET: "),
    fc.string({ maxLength: 10 }),
    fc.string({ unit: "binary", maxLength: 10 }),
  )
  .map(([first, before, after]) => `${first}${before}${mark}${after}`);

function specOf(secret: string): string {
  return `image: a.io/b
port: 80
repositories:
  dataset: d
  mountPath: /opt/repos
  repositories:
    - url: https://a.io/b.git
      name: b
      username: me
      password: ${secret}
resources: {replicas: 1, instanceType: C4}
`;
}

/** A place in a text, what is taken out there, and what comes in. */
const edit = fc.record({
  at: fc.nat(),
  remove: fc.nat({ max: 12 }),
  insert: fc.oneof(
    fc.constantFrom("\n", " ", "  ", ": ", "- ", "{", "}", "[", "]", '"', "'", "#", "|\n", ">", "? ", "!", "&", "*", "%", "---\n", "\t", ","),
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("password: ", "replicas: 0", "ports: [1]", "SECRET:", "null"),
  ),
});

function edited(text: string, edits: readonly { at: number; remove: number; insert: string }[]): string {
  return edits.reduce((now, { at, remove, insert }) => {
    const place = at % (now.length + 1);
    return now.slice(0, place) + insert + now.slice(place + remove);
  }, text);
}

/** Reads a text as the loader does; anything but services or a mistake that is placed in the file is an error here. */
function read(text: string): string {
  try {
    for (const { service } of parseServices(text, "svc.yaml", Object.keys(defaultInstanceTypes))) {
      expect(service.ports.length).toBeGreaterThan(0);
    }
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message, culprit } = error as UserError;
    expect(culprit).toMatch(/^svc\.yaml(:\d+:\d+)?$/);
    return `${culprit} ${message}`;
  }
}

/**
 * Reads texts of chance, and services with a password in the wrong form and edits anywhere.
 *
 * @param runs how many of each
 * @param seconds the most time it takes
 */
export function fuzz(runs: number, seconds: number): void {
  const parameters = { numRuns: runs, interruptAfterTimeLimit: (seconds * 1000) / 3, markInterruptAsFailure: false };
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
      read(text);
    }),
    parameters,
  );
  fc.assert(
    fc.property(fc.constantFrom(...malformed), fc.array(edit, { maxLength: 4 }), ({ text }, edits) => {
      read(edited(text, edits));
    }),
    parameters,
  );
  fc.assert(
    fc.property(password, fc.array(edit, { maxLength: 4 }), (secret, edits) => {
      expect(read(edited(specOf(secret), edits))).not.toContain(mark);
    }),
    parameters,
  );
}
