import { realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { cacheFolder } from "../core/user-folders.ts";
import type { GitAccess } from "../git/access.ts";
import { checkOut } from "../git/checkout.ts";
import { resolveInside } from "../git/tree.ts";
import type { ResolvedCode } from "./schema.ts";

export interface LocalCode {
  /** Absolute. The first is the working directory; all are searched for modules. Empty: there is no code. */
  readonly folders: readonly string[];
  /** If the code is from git: the checkout that contains the only folder. It is shared and read-only. */
  readonly checkout?: string;
}

export interface CodeOptions {
  readonly git: GitAccess;
  readonly env?: Environment;
}

/** @param folder for relative paths */
export async function localCode(
  code: ResolvedCode | undefined,
  folder: string,
  options: CodeOptions,
): Promise<LocalCode> {
  if (code === undefined) return { folders: [] };
  if ("GitRepoCommit" in code) {
    const { repo_url, commit, path_to_source } = code.GitRepoCommit;
    const made = await checkOut(join(cacheFolder(options.env), "git"), repo_url, commit, {
      env: options.env ?? process.env,
      ...options.git,
    });
    // The cache may be behind a link, and the folder below is a real path.
    const checkout = await realpath(made);
    return { folders: [await resolveInside(checkout, path_to_source, "folder", "path_to_source")], checkout };
  }
  const folders = await Promise.all(code.ServerAvailableFolder.code_paths.map((path) => realFolder(folder, path)));
  return { folders };
}

async function realFolder(base: string, path: string): Promise<string> {
  const target = resolve(base, path);
  const identity = { code: "code-invalid", culprit: target } as const;
  const status = await stat(target).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(
      identity,
      `code_paths: ${target} does not exist on this machine.`,
      "Name a folder of the machine that runs the job.",
      { cause },
    );
  });
  if (!status.isDirectory()) throw new UserError(identity, `code_paths: ${target} is not a folder.`, "Name a folder.");
  return realpath(target);
}
