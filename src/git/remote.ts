import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { GitAccess } from "./access.ts";
import { runGit } from "./command.ts";
import { serverFailure } from "./failure.ts";

export async function resolveBranch(url: string, branch: string, access: GitAccess): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const found = (await listRefs(url, ref, `asking for branch ${branch}`, access)).get(ref);
  if (found !== undefined) return found;
  const branches = [...(await listRefs(url, "refs/heads/*", "listing branches", access)).keys()].map((name) =>
    name.slice("refs/heads/".length),
  );
  const meant = nearest(branch, branches);
  const known = branches.slice(0, 10).join(", ") + (branches.length > 10 ? ", …" : "");
  throw new UserError(
    { code: "git-not-found", culprit: branch },
    `${url} has no branch ${branch}${meant === undefined ? "" : ` (did you mean ${meant}?)`}.`,
    branches.length === 0 ? "Push something to it first." : `Its branches: ${known}.`,
  );
}

/** The newest commit of the main branch, which the server's `HEAD` names. */
export async function resolveHead(url: string, access: GitAccess): Promise<string> {
  const outcome = await runGit({ args: ["ls-remote", "--quiet", "--", url, "HEAD"], server: url }, access);
  if (outcome.status !== 0) throw serverFailure(url, "asking for its main branch", outcome);
  const [, commit] = /^([0-9a-f]{40,64})\tHEAD$/m.exec(outcome.stdout) ?? [];
  if (commit !== undefined) return commit;
  throw new UserError(
    { code: "git-not-found", culprit: url },
    `${url} has no commit on its main branch.`,
    "Push a commit to it, or set its main branch on the server.",
  );
}

async function listRefs(url: string, pattern: string, doing: string, access: GitAccess): Promise<Map<string, string>> {
  const outcome = await runGit({ args: ["ls-remote", "--quiet", "--refs", "--", url, pattern], server: url }, access);
  if (outcome.status !== 0) throw serverFailure(url, doing, outcome);
  const lines = outcome.stdout.split("\n").filter((line) => line !== "");
  // The pattern also matches names that end with it.
  return new Map(lines.map((line) => [line.slice(line.indexOf("\t") + 1), line.slice(0, line.indexOf("\t"))]));
}
