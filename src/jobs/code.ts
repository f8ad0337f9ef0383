import { realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { cacheFolder } from "../core/user-folders.ts";
import type { GitAccess } from "../git/access.ts";
import { checkOut } from "../git/checkout.ts";
import { resolveInside } from "../git/tree.ts";
import type { ResolvedCode } from "./schema.ts";

/** Code on this machine. */
export interface LocalCode {
  /** Absolute. The first is the working directory, all are searched for modules. Empty: there is no code. */
  readonly folders: readonly string[];
  /** The checkout that the only folder lies in, where the code is from git: shared and read-only. */
  readonly checkout?: string;
}

/** The cache of checkouts, and the access to their servers. */
export interface CodeOptions {
  readonly git: GitAccess;
  /** Default: this process's. */
  readonly env?: Environment;
}

/**
 * Brings code to this machine where it is not here already.
 *
 * @param folder that relative paths are relative to
 * @throws UserError when a folder does not exist, a server lacks the commit, or a path leads out of the code
 */
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
    // The folder in it is a real path too, where the cache is behind a link.
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
