import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure } from "../core/errors.ts";
import type { GitAccess } from "./access.ts";
import { type CloneRequest, populate } from "./checkout.ts";
import { gitOutput, lastWords, runGit } from "./command.ts";
import { withMirror } from "./mirror.ts";
import { sealTree } from "./tree.ts";

/**
 * As `git clone` at one commit, without a password. All but the folder itself is read-only, so it can be moved. `cache`
 * keeps repositories, so that a second commit fetches only what changed.
 */
export async function cloneCommit(cache: string, request: CloneRequest, access: GitAccess): Promise<void> {
  const { url, commit, folder } = request;
  const gitDir = join(folder, ".git");
  await mkdir(cache, { recursive: true });
  await gitOutput({ args: ["init", "--quiet", "--bare", "--template=", "--", gitDir] }, access);
  const index = join(gitDir, "index");
  await populate({ cache, index, access }, { url, commit, folder });
  await withMirror(cache, url, access, async (mirror) => {
    const server = pathToFileURL(mirror.gitDir).href;
    const args = ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--", server, commit];
    const fetched = await runGit({ args, gitDir, server }, { ...access, protocols: ["file"] });
    if (fetched.status !== 0) {
      throw new Failure(
        { code: "git-failed", culprit: url },
        `The commit ${commit} of ${url} cannot be copied: ${lastWords(fetched.stderr)}.`,
        "Check that this disk has free space.",
      );
    }
  });
  await writeFile(join(gitDir, "HEAD"), `${commit}\n`);
  for (const [name, value] of [
    ["core.bare", "false"],
    ["remote.origin.url", url],
    ["remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"],
  ] as const) {
    await gitOutput({ args: ["config", "--file", join(gitDir, "config"), name, value] }, access);
  }
  // Submodules overwrote it.
  await gitOutput({ args: ["read-tree", "--reset", commit], gitDir, tree: { folder, index } }, access);
  await sealTree(folder);
  await chmod(folder, 0o755);
}
