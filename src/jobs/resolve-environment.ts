import { readFile, stat } from "node:fs/promises";
import { posix } from "node:path";
import { UserError } from "../core/errors.ts";
import { resolveInside } from "../git/tree.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import type { EnvironmentKind } from "../python-environments/model.ts";
import { includedFile, requirementLines } from "../python-environments/requirement-lines.ts";

/** The files that make an environment what it is. */
export interface EnvironmentFiles {
  /** Of what they hold, under which names. */
  readonly content: Digest;
  /** Their real paths, by their names in the code. */
  readonly files: ReadonlyMap<string, string>;
}

/** Bytes of the largest file that describes an environment. */
const maximumFile = 32 * 1024 * 1024;

/**
 * Finds the files of an environment and says what they hold. Equal files give equal digests, wherever they are.
 *
 * @param root folder of the code
 * @throws UserError when one is missing or lies outside
 */
export async function environmentFiles(kind: EnvironmentKind, path: string, root: string): Promise<EnvironmentFiles> {
  const names =
    kind === "PoetryProject" ? [posix.join(path, "pyproject.toml"), posix.join(path, "poetry.lock")] : [path];
  const base = kind === "PoetryProject" ? path : posix.dirname(path);
  const files = new Map<string, string>();
  const digests: Record<string, Digest> = {};
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
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
    if (kind === "PipRequirements")
      names.push(...included(bytes.toString()).map((other) => innerName(name as string, other)));
  }
  return { content: sha256(canonicalJson({ kind, files: digests })), files };
}

/** Files that a requirements file takes in: pip's "Requirements File Format". */
function included(text: string): string[] {
  return requirementLines(text).flatMap((line) => includedFile(line.text)?.file ?? []);
}

function innerName(from: string, to: string): string {
  if (/^[a-z]+:\/\//i.test(to)) {
    throw new UserError(
      { code: "code-invalid", culprit: from },
      `PipRequirements: ${from} includes ${to}, which may change.`,
      "Put its content into a file of the code.",
    );
  }
  return posix.join(posix.dirname(from), to);
}
