import { existsSync, lstatSync } from "node:fs";
import { chmod, mkdir, rename } from "node:fs/promises";
import { join, posix } from "node:path";
import { Failure, UserError } from "../core/errors.ts";
import { type GitAccess, protocolsOf } from "./access.ts";
import { gitOutput, lastWords, runGit } from "./command.ts";
import { lfsNeed, refusePointers } from "./lfs.ts";
import { fetchCommit, type Mirror, settingsIn, withMirror } from "./mirror.ts";
import { removeTree, sealTree, withDraft } from "./tree.ts";
import { requireGitUrl, submoduleUrl } from "./url.ts";

/** Maximum depth of submodules in submodules: deeper ones contain themselves. */
const maximumDepth = 16;

/** The files of a commit, its submodules and Git LFS, read-only and without `.git`. Jobs of one commit share them. */
export async function checkOut(cache: string, url: string, commit: string, access: GitAccess): Promise<string> {
  requireGitUrl(url, protocolsOf(access), "repo_url");
  const folder = join(cache, "checkouts", commit);
  if (existsSync(folder)) return folder;
  await mkdir(join(cache, "checkouts"), { recursive: true, mode: 0o700 });
  return withDraft(join(cache, "drafts"), async (draft) => {
    const files = join(draft, "files");
    await mkdir(files, { mode: 0o755 });
    await populate({ cache, index: join(draft, "index"), access }, { url, commit, folder: files });
    await sealTree(files);
    // A folder can only be moved by someone who may write to it.
    await chmod(files, 0o755);
    try {
      await rename(files, folder);
      await chmod(folder, 0o555);
    } catch (error) {
      // Another process made the same meanwhile.
      if (!existsSync(folder)) throw error;
      await removeTree(files);
    }
    return folder;
  });
}

interface Place {
  readonly cache: string;
  /** Path of the index, written for each repository. */
  readonly index: string;
  readonly access: GitAccess;
}

export interface CloneRequest {
  readonly url: string;
  readonly commit: string;
  /** Empty. */
  readonly folder: string;
}

/** Fills a folder with the files of a commit and its submodules; errors as {@link checkOut}. */
export async function populate(place: Place, { url, commit, folder }: CloneRequest, depth = 0): Promise<void> {
  const { access } = place;
  if (depth > maximumDepth) {
    throw new UserError(
      { code: "code-invalid", culprit: url },
      `${url} at ${commit} has submodules in submodules, more than ${maximumDepth} deep.`,
      "Remove the submodule that contains its own parent.",
    );
  }
  const mirror = await withMirror(place.cache, url, access, async (own) => {
    await fetchCommit(own, commit, access);
    return own;
  });
  const tree = { folder, index: place.index };
  const lfs = await lfsNeed(mirror, commit, access);
  // Only Git LFS has anything to fetch at this point.
  const fetching = typeof lfs === "object" ? { settings: lfs.settings, server: url } : {};
  const args = ["read-tree", "-u", "--reset", commit];
  const outcome = await runGit({ args, gitDir: mirror.gitDir, tree, ...fetching }, access);
  if (outcome.status !== 0) {
    const problem = `The files of ${url} at ${commit} cannot be written: ${lastWords(outcome.stderr)}.`;
    const alsoLfs = typeof lfs === "object" ? ", and that the server has the files in Git LFS" : "";
    throw new Failure({ code: "git-failed", culprit: url }, problem, `Check that this disk has free space${alsoLfs}.`);
  }
  if (lfs === "installation") await refusePointers(mirror, commit, tree, access);
  for (const { path, url: address, commit: pinned } of await submodules(mirror, commit, access)) {
    requireRealFolder(folder, path, `${url} at ${commit}`);
    await populate(place, { url: address, commit: pinned, folder: join(folder, path) }, depth + 1);
  }
}

/** The submodules of a commit: gitmodules(5). `git submodule` obeys more of a repository than these two facts. */
async function submodules(mirror: Mirror, commit: string, access: GitAccess) {
  const listing = await gitOutput(
    { args: ["ls-tree", "-r", "-z", "--full-tree", commit], gitDir: mirror.gitDir },
    access,
  );
  const links = listing.split("\0").flatMap((line) => {
    const [, id, path] = /^160000 commit ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return id === undefined || path === undefined ? [] : [{ id, path }];
  });
  if (links.length === 0) return [];
  const fields = new Map(await settingsIn(mirror, commit, ".gitmodules", access));
  const origin = `.gitmodules of ${mirror.url} at ${commit}`;
  const parent = requireGitUrl(mirror.url, protocolsOf(access), origin);
  return links.map(({ id, path }) => {
    const [name] =
      [...fields].find(([key, value]) => key.startsWith("submodule.") && key.endsWith(".path") && value === path) ?? [];
    const url = name === undefined ? undefined : fields.get(`${name.slice(0, -".path".length)}.url`);
    if (url === undefined) {
      throw new UserError(
        { code: "code-invalid", culprit: path },
        `${origin} does not list the submodule ${path}.`,
        "Add it there with its path and url, or remove the submodule.",
      );
    }
    return { path, url: submoduleUrl(parent, url, protocolsOf(access), `${origin}, ${path}`).text, commit: id };
  });
}

/** A submodule goes into the folder that git made for it, never through a symbolic link. */
function requireRealFolder(root: string, path: string, origin: string): void {
  const isPlain = posix.normalize(path) === path && !path.startsWith("/") && !path.split("/").includes("..");
  const parts = path.split("/");
  const isReal = parts.every((_, index) =>
    lstatSync(join(root, ...parts.slice(0, index + 1)), { throwIfNoEntry: false })?.isDirectory(),
  );
  if (!isPlain || !isReal) {
    throw new UserError(
      { code: "code-invalid", culprit: path },
      `${origin} has the submodule ${JSON.stringify(path)} in a place where none can be.`,
      "Remove it from the repository.",
    );
  }
}
