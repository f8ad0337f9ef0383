import { UserError } from "../core/errors.ts";
import { findExecutable } from "../core/executables.ts";
import { type GitAccess, protocolsOf } from "./access.ts";
import { gitOutput, runGit, type WorkTree } from "./command.ts";
import { type Mirror, settingsIn } from "./mirror.ts";
import { requireGitUrl } from "./url.ts";

/** What Git LFS needs for a commit: nothing, settings of git, or an installation. */
export type LfsNeed = { readonly settings: readonly string[] } | "nothing" | "installation";

export async function lfsNeed(mirror: Mirror, commit: string, access: GitAccess): Promise<LfsNeed> {
  const attributes = [".gitattributes", "*/.gitattributes"];
  const mentions = await runGit(
    { args: ["grep", "--quiet", "-F", "filter=lfs", commit, "--", ...attributes], gitDir: mirror.gitDir },
    access,
  );
  if (mentions.status !== 0) return "nothing";
  if (!findExecutable("git-lfs", access.env ?? process.env)) return "installation";
  await checkConfiguration(mirror, commit, access);
  return {
    settings: [
      "filter.lfs.process=git-lfs filter-process",
      "filter.lfs.smudge=git-lfs smudge -- %f",
      "filter.lfs.required=true",
      `remote.origin.url=${mirror.url}`,
    ],
  };
}

/** Refuses the pointers that Git LFS leaves in place of files. */
export async function refusePointers(mirror: Mirror, commit: string, tree: WorkTree, access: GitAccess): Promise<void> {
  const args = ["ls-files", "-z", "--", ":(attr:filter=lfs)"];
  const [first] = (await gitOutput({ args, gitDir: mirror.gitDir, tree }, access)).split("\0");
  if (!first) return;
  throw new UserError(
    { code: "program-missing", culprit: "git-lfs" },
    `${mirror.url} at ${commit} has files in Git LFS (${first}), but git-lfs is not installed.`,
    "Install git-lfs.",
  );
}

/** Allows the LFS servers of a repository only the protocols of the repository itself. */
async function checkConfiguration(mirror: Mirror, commit: string, access: GitAccess): Promise<void> {
  for (const [key, value] of await settingsIn(mirror, commit, ".lfsconfig", access)) {
    if (/url$/i.test(key))
      requireGitUrl(value, protocolsOf(access), `.lfsconfig of ${mirror.url} at ${commit}, ${key}`);
  }
}
