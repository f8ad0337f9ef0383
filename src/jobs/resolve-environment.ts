import { readFile, stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { resolveInside } from "../git/tree.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { EnvironmentKind } from "../python-environments/model.ts";
import { includedFile, requirementLines } from "../python-environments/requirement-lines.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { openByName } from "../registry/open-by-name.ts";
import type { LocalCode } from "./code.ts";
import { resolveTag } from "./resolve-image.ts";
import type { Deployment } from "./schema.ts";

/** Bytes of the largest file that describes an environment. */
const maximumFile = 32 * 1024 * 1024;

export interface DescribedEnvironment {
  readonly kind: EnvironmentKind;
  readonly path: string;
  readonly python?: string;
  /** In a lock always by its digest. Locks for processes have none. */
  readonly base?: string;
  readonly content?: Digest;
}

export function environmentOf(interpreter: Deployment["interpreter"]): DescribedEnvironment | undefined {
  for (const kind of ["PoetryProject", "CondaEnv", "PipRequirements"] as const) {
    const found = (interpreter as Partial<Record<EnvironmentKind, Omit<DescribedEnvironment, "kind">>>)[kind];
    if (found) return { kind, ...found };
  }
  return undefined;
}

/**
 * In the first folder of the code, where a job starts. Equal files give equal digests.
 *
 * @returns the digest, and the real paths by their names in the code
 */
export async function filesOf(kind: EnvironmentKind, path: string, { folders: [root] }: LocalCode) {
  if (root === undefined) {
    throw new UserError(
      { code: "field-invalid", culprit: kind },
      `${kind} needs the files of \`code\`, which is missing.`,
      "Add `code` with the folder that contains them.",
    );
  }
  const names =
    kind === "PoetryProject" ? [posix.join(path, "pyproject.toml"), posix.join(path, "poetry.lock")] : [path];
  const base = kind === "PoetryProject" ? path : posix.dirname(path);
  const files = new Map<string, string>();
  const digests: Record<string, Digest> = {};
  for (const name of names) {
    if (files.has(name)) continue;
    const file = await resolveInside(root, name, "file", kind);
    const { size } = await stat(file);
    if (size > maximumFile) {
      throw new UserError(
        { code: "code-invalid", culprit: name },
        `${kind}: ${name} has ${size} bytes, which is too large.`,
        "Name the file that describes the environment.",
      );
    }
    const bytes = await readFile(file);
    files.set(name, file);
    // Relative to the first, so that a project may move inside its repository.
    digests[posix.relative(base, name)] = sha256(bytes);
    if (kind === "PipRequirements") names.push(...includedFiles(bytes.toString(), name));
  }
  return { content: sha256(canonicalJson({ kind, files: digests })), files };
}

/** Files that a requirements file takes in: pip's "Requirements File Format". */
function includedFiles(text: string, from: string): string[] {
  return requirementLines(text).flatMap((line) => {
    const to = includedFile(line.text)?.file;
    if (to === undefined) return [];
    if (!/^[a-z]+:\/\//i.test(to)) return [posix.join(posix.dirname(from), to)];
    throw new UserError(
      { code: "code-invalid", culprit: from },
      `PipRequirements: ${from} includes ${to}, which may change.`,
      "Put its content into a file of the code.",
    );
  });
}

export interface BaseOptions {
  readonly env?: Environment;
  /** Default: with the credentials of docker and podman, the embedded one over its socket. */
  readonly openRegistry?: (registry: string) => Promise<RegistryClient>;
  /** Whether environments become images, which need a base. Default: if the deployment names one. */
  readonly needsImages?: boolean;
}

/** `SLIPWAY_ENVIRONMENT_BASE` for `{python}`, else Docker's slim Python; Debian for conda, which has its own. */
function defaultBase(kind: EnvironmentKind, python = "3", env: Environment = process.env): string {
  const own = env["SLIPWAY_ENVIRONMENT_BASE"];
  if (own) return own.replaceAll("{python}", python);
  return kind === "CondaEnv" ? "docker.io/library/debian:stable-slim" : `docker.io/library/python:${python}-slim`;
}

/** The base of an environment by its digest. Undefined if none is named and none is needed. */
export async function resolveBase(
  { kind, python, base: named }: DescribedEnvironment,
  { needsImages, env, openRegistry, platform }: BaseOptions & { readonly platform: string },
): Promise<string | undefined> {
  if (named === undefined && !needsImages) return undefined;
  const { tag = "latest", digest, ...repository } = parseReference(named ?? defaultBase(kind, python, env));
  const place = formatReference(repository);
  if (digest !== undefined) return `${place}@${digest}`;
  const open = openRegistry ?? ((registry: string) => openByName(registry, env));
  const resolved = await resolveTag({ repository: place, tag }, platform, open);
  return `${place}@${resolved.digest}`;
}
