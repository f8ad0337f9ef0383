import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { waitForLock } from "../core/lock.ts";
import { sha256, splitDigest } from "../oci/digest.ts";
import type { GitAccess } from "./access.ts";
import { gitOutput, runGit } from "./command.ts";
import { isCommitRefused, serverFailure } from "./failure.ts";
import { removeTree } from "./tree.ts";

export interface Mirror {
  readonly url: string;
  readonly gitDir: string;
  /** For incomplete files; all belong to the holder of the lock. */
  readonly drafts: string;
}

export async function withMirror<Result>(
  cache: string,
  url: string,
  access: GitAccess,
  work: (mirror: Mirror) => Promise<Result>,
): Promise<Result> {
  const folder = join(cache, splitDigest(sha256(url)).hex.slice(0, 32));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  using _lock = await waitForLock(join(folder, "lock"), access.signal);
  const mirror = { url, gitDir: join(folder, "mirror.git"), drafts: join(folder, "drafts") };
  // The process that wrote this has ended.
  await removeTree(mirror.drafts);
  await mkdir(mirror.drafts, { mode: 0o700 });
  if (!existsSync(mirror.gitDir)) {
    const draft = join(mirror.drafts, "mirror.git");
    await gitOutput({ args: ["init", "--quiet", "--bare", "--template=", "--", draft] }, access);
    await rename(draft, mirror.gitDir);
  }
  await removeStaleLocks(mirror.gitDir);
  return await work(mirror);
}

/** Fetches a commit unless it is here: alone if the server gives it by its ID, else all branches and tags. */
export async function fetchCommit(mirror: Mirror, commit: string, access: GitAccess): Promise<void> {
  if (await hasCommit(mirror, commit, access)) return;
  const fetch = (...args: string[]) =>
    runGit(
      {
        args: ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", ...args],
        gitDir: mirror.gitDir,
        server: mirror.url,
      },
      access,
    );
  // The reference keeps it from being taken for garbage.
  const one = await fetch("--depth=1", "--", mirror.url, `+${commit}:refs/slipway/${commit}`);
  if (one.status === 0) return;
  if (!isCommitRefused(one)) throw serverFailure(mirror.url, `fetching commit ${commit}`, one);
  // Servers send no ancestors to a shallow copy.
  const depth = existsSync(join(mirror.gitDir, "shallow")) ? ["--unshallow"] : [];
  const all = await fetch(
    ...depth,
    "--prune",
    "--",
    mirror.url,
    "+refs/heads/*:refs/heads/*",
    "+refs/tags/*:refs/tags/*",
  );
  if (all.status !== 0) throw serverFailure(mirror.url, "fetching all branches", all);
  if (!(await hasCommit(mirror, commit, access))) {
    throw new UserError(
      { code: "git-not-found", culprit: commit },
      `${mirror.url} has no commit ${commit}: it was never pushed there, or a forced push removed it.`,
      "Use a commit of the repository: `slipway job resolve` and `slipway service apply` find the current one of a branch.",
    );
  }
  await gitOutput({ args: ["update-ref", `refs/slipway/${commit}`, commit], gitDir: mirror.gitDir }, access);
}

async function hasCommit(mirror: Mirror, commit: string, access: GitAccess): Promise<boolean> {
  const { status } = await runGit({ args: ["cat-file", "-e", `${commit}^{commit}`], gitDir: mirror.gitDir }, access);
  return status === 0;
}

/** The settings in a file in git's own form, such as `.gitmodules`. None if there is no such file. */
export async function settingsIn(
  mirror: Mirror,
  commit: string,
  file: string,
  access: GitAccess,
): Promise<readonly (readonly [name: string, value: string])[]> {
  const args = ["config", "--blob", `${commit}:${file}`, "--list", "-z"];
  const listing = await gitOutput({ args, gitDir: mirror.gitDir }, access).catch(() => "");
  const lines = listing.split("\0").filter((line) => line !== "");
  return lines.map((line) => [line.slice(0, line.indexOf("\n")), line.slice(line.indexOf("\n") + 1)]);
}

/** Removes locks and unfinished packs of a killed git. Only the holder of our lock changes this copy. */
async function removeStaleLocks(gitDir: string): Promise<void> {
  const below = async (folder: string, options?: { readonly recursive: boolean }) =>
    (await readdir(join(gitDir, folder), options).catch(() => [])).map((name) => join(folder, name));
  const locks = [...(await below(".")), ...(await below("refs", { recursive: true }))].filter((name) =>
    name.endsWith(".lock"),
  );
  const packs = (await below("objects/pack")).filter((name) => basename(name).startsWith("tmp_"));
  for (const name of [...locks, ...packs]) await rm(join(gitDir, name), { force: true });
}
