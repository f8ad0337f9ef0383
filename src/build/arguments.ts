import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { type JsonNode, parseJson } from "../oci/json.ts";
import type { Context } from "./context.ts";
import { readInput, writeFiles } from "./files.ts";

/** A JSON list: `["KIND", …]`. */
export interface Entry {
  readonly kind: string;
  readonly values: readonly unknown[];
  readonly text: string;
}

/** `--NAME=VALUE` options, and entries, which start with `[`. */
export class Arguments {
  readonly entries: readonly Entry[];
  readonly #options = new Map<string, string[]>();
  readonly #folder: string;

  constructor(args: readonly string[], names: readonly string[], context: Pick<Context, "folder">) {
    this.#folder = context.folder;
    const entries: Entry[] = [];
    for (const arg of args) {
      if (arg.startsWith("[")) {
        entries.push(parseEntry(arg));
        continue;
      }
      const [, name, value] = /^--([a-z-]+)=(.*)$/s.exec(arg) ?? [];
      if (name === undefined || value === undefined || !names.includes(name)) {
        throw argumentError(
          arg,
          `${JSON.stringify(arg)} is not an argument of this command.`,
          `Write ${names.map((known) => `--${known}=…`).join(", ")} or a JSON list.`,
        );
      }
      const values = this.#options.get(name);
      if (values) values.push(value);
      else this.#options.set(name, [value]);
    }
    this.entries = entries;
  }

  all(name: string): readonly string[] {
    return this.#options.get(name) ?? [];
  }

  optional(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1)
      throw argumentError(`--${name}`, `--${name} is given ${values.length} times.`, "Give it once.");
    return values[0];
  }

  one(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw argumentError(`--${name}`, `--${name} is missing.`, `Add --${name}=….`);
    return value;
  }

  resolve(path: string): string {
    return this.#folder === "" ? path : join(this.#folder, path);
  }

  read(path: string): Buffer {
    return readInput(this.resolve(path));
  }

  json(path: string): JsonNode {
    return parseJson(this.read(path), path);
  }

  output(name: string): string {
    return this.resolve(this.one(name));
  }

  write(contents: Readonly<Record<string, Uint8Array | string>>): void {
    writeFiles(new Map(Object.entries(contents).map(([name, content]) => [this.output(name), content])));
  }
}

export function texts<const Names extends readonly string[]>(
  entry: Entry,
  names: Names,
): { [Name in keyof Names]: string } {
  if (entry.values.length !== names.length || !entry.values.every((value) => typeof value === "string")) {
    throw malformed(entry.text, `["${[entry.kind, ...names].join('", "')}"]`);
  }
  return entry.values as unknown as { [Name in keyof Names]: string };
}

export function argumentError(culprit: string, problem: string, remedy: string): UserError {
  return new UserError({ code: "command-line-invalid", culprit }, problem, remedy);
}

export function malformed(text: string, expected: string): UserError {
  return argumentError(text, `${text} is not an entry of this command.`, `Write ${expected}.`);
}

function parseEntry(text: string): Entry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || typeof value[0] !== "string")
    throw malformed(text, 'a JSON list on one line: ["KIND", …]');
  return { kind: value[0], values: value.slice(1), text };
}
