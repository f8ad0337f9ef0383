import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import type { GitAccess, GitPassword } from "../../git/access.ts";
import { cloneCommit } from "../../git/clone.ts";
import { resolveHead } from "../../git/remote.ts";
import { removeTree } from "../../git/tree.ts";
import { secretsFolder } from "../content.ts";
import { authoritiesFile, isSameServer, type RepositoryToSync, requireOneLine } from "../repositories.ts";
import { Uses, Volume } from "./volume.ts";

/** Where Debian keeps the public authorities. */
const publicAuthorities = "/etc/ssl/certs/ca-certificates.crt";

/**
 * `repositories --volume=FOLDER --repository=JSON…` clones missing commits. With `--service=NAME` it
 * removes commits that this service used, once no service has used them for a week.
 */
export async function syncRepositories(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      volume: { type: "string", default: "" },
      repository: { type: "string", multiple: true, default: [] },
      service: { type: "string" },
    },
  });
  const { repository: texts, ...options } = values;
  await bringRepositories({
    ...options,
    secrets: secretsFolder("repositories"),
    repositories: texts.map((text) => JSON.parse(text) as RepositoryToSync),
    env: process.env,
    say: (text) => process.stderr.write(`${text}\n`),
  });
}

export interface RepositoriesToBring {
  readonly volume: string;
  /** Has the {@link RepositoryToSync.login} files, read only if a server asks for a password. */
  readonly secrets: string;
  readonly repositories: readonly RepositoryToSync[];
  /** Undefined: nothing is removed. */
  readonly service?: string;
  readonly env: Environment;
  readonly say: (text: string) => void;
}

/** Clones commits that a volume lacks. Commits that it has are not checked again. */
export async function bringRepositories(wanted: RepositoriesToBring): Promise<void> {
  const volume = await Volume.open(wanted.volume);
  const { service, repositories, say } = wanted;
  const folders = repositories.map(({ folder }) => folder);
  // First, so that nobody removes what this run finds.
  if (service !== undefined) await withUses(volume, say, (uses) => uses.note(service, folders));
  await withAuthorities(wanted, async (env) => {
    for (const repository of repositories) await bring(volume, repository, wanted, env);
  });
  if (service === undefined) return;
  await withUses(volume, say, (uses) => uses.prune((unused) => volume.discard("repositories", unused), say));
}

async function withUses(volume: Volume, say: (text: string) => void, work: (uses: Uses) => Promise<void>) {
  const lock = await volume.lock("repositories", "Waiting for another pod that removes old commits", say);
  await work(new Uses(volume, "repositories")).finally(() => lock.release());
}

async function bring(volume: Volume, repository: RepositoryToSync, wanted: RepositoriesToBring, env: Environment) {
  const { url, folder } = repository;
  const { say } = wanted;
  if (existsSync(volume.path(folder))) {
    say(`${url}: ${repository.commit ?? folder} is there`);
    return;
  }
  // One name for each address: its commits share fetched objects.
  const name = folder.slice(0, folder.lastIndexOf("/")).replaceAll("/", "-");
  using _lock = await volume.lock(name, `${url}: waiting for another pod that clones it`, say);
  if (existsSync(volume.path(folder))) return;
  const access: GitAccess = {
    env,
    protocols: ["https"],
    findPassword: (asked) => passwordFor(asked, repository, wanted.secrets),
  };
  const commit = repository.commit ?? (await resolveHead(url, access));
  say(`${url}: cloning ${commit}`);
  // An interrupted clone left read-only folders.
  await removeTree(volume.path("drafts", name));
  const draft = await volume.draft(name);
  await cloneCommit(volume.path("git"), { url, commit, folder: draft }, access);
  await flush(draft);
  await volume.publish(draft, folder);
  await chmod(volume.path(folder), 0o555);
  say(`${url}: ${commit} is there now`);
}

async function passwordFor(
  asked: string,
  { url, secret, login }: RepositoryToSync,
  folder: string,
): Promise<GitPassword> {
  // A repository chooses its submodules' addresses. Other servers must not get this server's password.
  if (!isSameServer(asked, url)) {
    throw new UserError(
      { code: "git-login", culprit: asked },
      `The git server of ${asked} wants a password, but the password for ${url} is only for that server.`,
      "Move that submodule to the server of the repository, or to one that wants no password.",
    );
  }
  if (secret === undefined || login === undefined) {
    throw new UserError(
      { code: "git-login", culprit: url },
      `The git server wants a password for ${url}, but the service names none.`,
      "Add `username` and `password: SECRET:NAME`, or check the address: many servers ask for a password if the repository does not exist.",
    );
  }
  const [username, password] = await Promise.all(
    ["username", "password"].map((part) => readFile(join(folder, `${login}.${part}`), "utf8").catch(absent)),
  );
  if (username === undefined || password === undefined) {
    throw new UserError(
      { code: "secret-not-found", culprit: secret },
      `There is no secret ${secret}, the password for ${url}.`,
      `Set it: \`slipway secret set ${secret}\`.`,
    );
  }
  requireOneLine(password, secret, url);
  return { username, password, source: `secret ${secret}` };
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/** git takes one file of authorities, so this joins the service's own and the public ones. */
async function withAuthorities({ secrets, env }: RepositoriesToBring, work: (env: Environment) => Promise<void>) {
  const own = await readFile(join(secrets, authoritiesFile), "utf8").catch(absent);
  if (own === undefined) return work(env);
  const known = (await readFile(publicAuthorities, "utf8").catch(absent)) ?? "";
  const folder = await mkdtemp(join(tmpdir(), "slipway-authorities-"));
  try {
    const file = join(folder, authoritiesFile);
    await writeFile(file, `${known}\n${own}`);
    await work({ ...env, GIT_SSL_CAINFO: file });
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function flush(folder: string): Promise<void> {
  await promisify(execFile)("sync", ["--file-system", folder]).catch((cause: Error) => {
    throw new Failure(
      { code: "file-unwritable", culprit: folder },
      "The volume does not keep written data.",
      "Check the disk of its node.",
      { cause },
    );
  });
}
