import { Failure } from "../core/errors.ts";

/** `[epoch:]upstream[-revision]` (deb-version(7)). */
interface DebianVersion {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

function parse(text: string): DebianVersion {
  const colon = text.indexOf(":");
  const epoch = colon < 0 ? "0" : text.slice(0, colon);
  const rest = colon < 0 ? text : text.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  const revision = dash < 0 ? "" : rest.slice(dash + 1);
  if (!/^\d+$/.test(epoch) || upstream === "" || /[^A-Za-z0-9.+~:-]/.test(rest)) {
    throw new Failure(
      { code: "file-invalid", culprit: text },
      `"${text}" is not a Debian version.`,
      "Correct it in the package index or lock that contains it.",
    );
  }
  return { epoch: Number(epoch), upstream, revision };
}

/** `~` before the end, the end before letters, letters before everything else. */
function weight(character: string | undefined): number {
  if (character === "~") return -1;
  if (character === undefined || isDigit(character)) return 0;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

/** Without a limit of size. */
function numberAt(text: string, position: number): { value: bigint; next: number } {
  let next = position;
  while (isDigit(text[next])) next++;
  return { value: next === position ? 0n : BigInt(text.slice(position, next)), next };
}

/** Policy Manual 5.6.12: alternately the longest part without digits, by character, and the number after it. */
function comparePart(left: string, right: string): number {
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    while ((i < left.length && !isDigit(left[i])) || (j < right.length && !isDigit(right[j]))) {
      const difference = weight(left[i]) - weight(right[j]);
      if (difference !== 0) return Math.sign(difference);
      i++;
      j++;
    }
    const a = numberAt(left, i);
    const b = numberAt(right, j);
    if (a.value !== b.value) return a.value < b.value ? -1 : 1;
    i = a.next;
    j = b.next;
  }
  return 0;
}

/** As dpkg (Policy Manual 5.6.12). */
export function compareVersions(left: string, right: string): number {
  const a = parse(left);
  const b = parse(right);
  return Math.sign(a.epoch - b.epoch) || comparePart(a.upstream, b.upstream) || comparePart(a.revision, b.revision);
}

export type VersionOperator = "<<" | "<=" | "=" | ">=" | ">>";

export function satisfies(version: string, operator: VersionOperator, constraint: string): boolean {
  const order = compareVersions(version, constraint);
  return { "<<": order < 0, "<=": order <= 0, "=": order === 0, ">=": order >= 0, ">>": order > 0 }[operator];
}
