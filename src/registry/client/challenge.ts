/** An authentication challenge: RFC 9110, section 11.6.1. */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The opaque text of schemes that have no parameters. */
  readonly token68?: string;
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\[\s\S])*)"/y;
const equals = /[ \t]*=[ \t]*/y;
const spaces = /[ \t]*/y;
const separators = /[ \t,]*/y;

/**
 * Reads the value of `WWW-Authenticate`, also several fields joined by commas. Stops at a syntax error and returns the challenges before
 * it.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  const cursor = new Cursor(header);
  cursor.take(separators);
  while (!cursor.done) {
    const scheme = cursor.take(token);
    if (scheme === undefined) break;
    const afterScheme = cursor.take(spaces);
    const opaque = afterScheme === "" ? undefined : cursor.take(token68);
    const parameters: Record<string, string> = Object.create(null);
    const challenge = {
      scheme: scheme.toLowerCase(),
      parameters,
      ...(opaque === undefined ? {} : { token68: opaque }),
    };
    if (opaque === undefined && !readParameters(cursor, parameters)) {
      // A parameter that does not parse could have been the one that matters.
      break;
    }
    challenges.push(challenge);
    cursor.take(separators);
  }
  return challenges;
}

/** Reads `name=value` pairs up to the next scheme. False when one of them is malformed. */
function readParameters(cursor: Cursor, parameters: Record<string, string>): boolean {
  for (;;) {
    const start = cursor.position;
    cursor.take(separators);
    const name = cursor.take(token);
    if (name === undefined) return cursor.done;
    if (cursor.take(equals) === undefined) {
      // Not a parameter, so the next challenge's scheme.
      cursor.position = start;
      return true;
    }
    const value =
      cursor
        .take(quoted)
        ?.slice(1, -1)
        .replace(/\\([\s\S])/g, "$1") ?? cursor.take(token);
    if (value === undefined) return false;
    parameters[name.toLowerCase()] ??= value;
  }
}

class Cursor {
  position = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.position >= this.#text.length;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.position = pattern.lastIndex;
    return match[0];
  }
}
