import { UserError } from "../core/errors.ts";

/** An argument that is a JSON list: `["KIND", …]`. */
export interface Entry {
  readonly kind: string;
  /** What follows the kind. */
  readonly values: readonly unknown[];
  /** The argument itself, for errors. */
  readonly text: string;
}

/** The arguments of a command: `--NAME=VALUE` options, and entries, which start with `[`. */
export class Arguments {
  readonly entries: readonly Entry[];
  readonly #options = new Map<string, string[]>();

  /**
   * @param names every option the command has
   * @throws UserError for an option that it does not have and for what is neither an option nor an entry
   */
  constructor(args: readonly string[], names: readonly string[]) {
    const entries: Entry[] = [];
    for (const arg of args) {
      if (arg.startsWith("[")) {
        entries.push(parseEntry(arg));
        continue;
      }
      const [, name, value] = /^--([a-z-]+)=(.*)$/s.exec(arg) ?? [];
      if (name === undefined || value === undefined || !names.includes(name)) {
        throw new UserError(
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

  /** An option's values in order. */
  all(name: string): readonly string[] {
    return this.#options.get(name) ?? [];
  }

  /** The value of an option that is given at most once. */
  optional(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1) throw new UserError(`--${name} is given ${values.length} times.`, "Give it once.");
    return values[0];
  }

  /** The value of an option that is given exactly once. */
  one(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new UserError(`--${name} is missing.`, `Add --${name}=….`);
    return value;
  }
}

/**
 * The texts that an entry of this kind has.
 *
 * @throws UserError when there are more, fewer, or others than texts
 */
export function texts<const Names extends readonly string[]>(
  entry: Entry,
  names: Names,
): { [Name in keyof Names]: string } {
  if (entry.values.length !== names.length || !entry.values.every((value) => typeof value === "string")) {
    throw malformed(entry.text, `["${[entry.kind, ...names].join('", "')}"]`);
  }
  return entry.values as unknown as { [Name in keyof Names]: string };
}

/** The error for an entry that is not what the command takes. */
export function malformed(text: string, expected: string): UserError {
  return new UserError(`${text} is not an entry of this command.`, `Write ${expected}.`);
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
