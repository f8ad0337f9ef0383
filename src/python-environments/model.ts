import { type Digest, sha256, splitDigest } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";

/** An environment that files in the code describe. */
export type EnvironmentKind = "PoetryProject" | "CondaEnv" | "PipRequirements";

/** What an environment is built from. */
export interface EnvironmentSource {
  readonly kind: EnvironmentKind;
  /** The file, or the folder of a Poetry project, in the code. */
  readonly path: string;
  /** `3.12` or `3.12.1`. Undefined: the version that the machine or the base image has. */
  readonly python?: string;
  /** Of what the files hold, under which names. */
  readonly content: Digest;
  /** Real paths of the files, by their names in the code. */
  readonly files: ReadonlyMap<string, string>;
}

/** Changed when the same inputs are built into something else. */
const format = 2;

/**
 * The name of a built environment: equal for all who build from the same.
 *
 * @param place what it is built on: of an image, base and platform; of a machine, its interpreter
 * @returns 64 hexadecimal digits, which are a tag too
 */
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

/** Whether a version of Python is the one that is wanted, of which the last number may be left open. */
export function isWanted(wanted: string | undefined, version: string): boolean {
  return wanted === undefined || version === wanted || (wanted.split(".").length === 2 && minorOf(version) === wanted);
}
