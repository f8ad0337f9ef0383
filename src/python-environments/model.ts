import { type Digest, sha256, splitDigest } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";

export type EnvironmentKind = "PoetryProject" | "CondaEnv" | "PipRequirements";

export interface EnvironmentSource {
  readonly kind: EnvironmentKind;
  /** In the code: the file, or the folder of a Poetry project. */
  readonly path: string;
  /** `3.12` or `3.12.1`. Undefined: the version that the machine or the base image has. */
  readonly python?: string;
  readonly content: Digest;
  /** Real paths of the files, by their names in the code. */
  readonly files: ReadonlyMap<string, string>;
}

/** Changes when the same inputs are built differently. */
const format = 2;

/** 64 hexadecimal digits, the same for all who build the same. `place`: base and platform, or an interpreter. */
export function environmentKey(
  { kind, content }: Pick<EnvironmentSource, "kind" | "content">,
  place: Readonly<Record<string, string>>,
): string {
  return splitDigest(sha256(canonicalJson({ format, kind, content, place }))).hex;
}

/** `3.12` of `3.12.1`. */
export function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

/** Whether a version of Python is the wanted one, which may leave the last number open. */
export function isWanted(wanted: string | undefined, version: string): boolean {
  return wanted === undefined || version === wanted || (wanted.split(".").length === 2 && minorOf(version) === wanted);
}
