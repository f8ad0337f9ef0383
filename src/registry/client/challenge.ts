/** An authentication challenge: RFC 9110, section 11.6.1. */
export interface Challenge {
  readonly scheme: string;
  /** Names in lower case. Empty for schemes with an opaque text instead. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const separators = /[ \t,]*/y;
/** Some registries send URLs without quotes. */
const parameter = new RegExp(`(${token})[ \\t]*=[ \\t]*(?:"((?:[^"\\\\]|\\\\[^])*)"|([^\\s",]+))`, "y");
const start = new RegExp(`(${token})(?=[ \\t,]|$)(?![ \\t]*=)(?:[ \\t]+[A-Za-z0-9._~+/-]+=*(?=[ \\t]*(?:,|$)))?`, "y");

/** Parses `WWW-Authenticate`, also several fields joined by commas. Stops at the challenge with a syntax error. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let position = 0;
  const take = (pattern: RegExp): readonly (string | undefined)[] => {
    pattern.lastIndex = position;
    const match = pattern.exec(header);
    if (match) position = pattern.lastIndex;
    return match ?? [];
  };
  for (;;) {
    take(separators);
    if (position === header.length) return challenges;
    const last = challenges.at(-1);
    const [, name, quoted, bare = ""] = last ? take(parameter) : [];
    if (last && name !== undefined) {
      last.parameters[name.toLowerCase()] ??= quoted?.replace(/\\([\s\S])/g, "$1") ?? bare;
      continue;
    }
    const [, scheme] = take(start);
    if (scheme === undefined) return challenges.slice(0, -1);
    challenges.push({ scheme: scheme.toLowerCase(), parameters: Object.create(null) });
  }
}
