import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { leastPace, limited, readWhole } from "../../core/read-whole.ts";
import { decompressLayer } from "../../layer/decompress.ts";
import { listTar } from "../../layer/read.ts";
import { optionError } from "../usage-error.ts";
import { ModuleFile } from "./module-file.ts";

const run = promisify(execFile);

interface Release {
  readonly url?: string;
  readonly integrity: string;
  readonly strip_prefix: string;
}

/**
 * The override that tells Bazel where this Slipway is, as Starlark. Empty if a Bazel registry has it.
 *
 * @param from the option `--from`: a folder (relative to `folder`), a release archive or its URL, or `REMOTE#COMMIT`
 * @throws UserError if `from` is none of these, or if it is missing and the source is unknown
 */
export async function findSource(from: string | undefined, folder: string, env: Environment): Promise<string> {
  if (from !== undefined) return sourceNamed(from, folder);
  // `bazel run` and tools/slipway pass their repository in a variable.
  const workspace = env["BUILD_WORKSPACE_DIRECTORY"];
  if (workspace) {
    const text = await readFile(join(workspace, "MODULE.bazel"), "utf8").catch(() => "");
    const module = new ModuleFile(text);
    if (module.isModule("slipway")) return sourceOfClone(workspace);
    if (module.dependency("slipway")) return absolute(module.override("slipway") ?? "", workspace);
  }
  const release = await releaseOfPackage();
  if (release?.url) return archiveOverride(release.url, release.integrity, release.strip_prefix);
  throw optionError(
    "--from",
    "This slipway does not know where Bazel gets Slipway from.",
    "Name it with `--from`: a folder, a release archive or its URL, or REMOTE#COMMIT of a git repository.",
  );
}

async function sourceNamed(from: string, folder: string): Promise<string> {
  const [, remote, commit] = /^(.+)#([0-9a-f]{40})$/.exec(from) ?? [];
  if (remote && commit) return gitOverride(remote, commit);
  if (/^(https?|file):/.test(from)) return sourceOfArchive(from);
  const path = resolve(folder, from);
  const status = await stat(path).catch(() => undefined);
  if (status?.isFile()) return sourceOfArchive(pathToFileURL(path).href);
  const module = await readFile(join(path, "MODULE.bazel"), "utf8").catch(() => "");
  if (new ModuleFile(module).isModule("slipway")) return folderOverride(path);
  throw optionError(
    "--from",
    `--from ${from} is not Slipway: ${status ? "it has no MODULE.bazel of Slipway" : "it does not exist"}.`,
    "Name a clone, an unpacked release, a release archive or its URL, or REMOTE#COMMIT with all 40 digits.",
  );
}

async function sourceOfArchive(url: string): Promise<string> {
  try {
    const stream = url.startsWith("file:") ? createReadStream(fileURLToPath(url)) : await download(url);
    const bytes = await readWhole(stream, maximumArchive, silence, leastPace);
    const integrity = `sha256-${createHash("sha256").update(bytes).digest("base64")}`;
    return archiveOverride(url, integrity, await releasePrefix(bytes));
  } catch (cause) {
    throw new UserError(
      { code: "file-unreadable", culprit: url },
      `The archive ${url} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      "Name a .tar.gz of a Slipway release.",
      { cause },
    );
  }
}

/** Bytes of a release, and of it unpacked; milliseconds for each 64 KiB of it. A release has 3 MB. */
const maximumArchive = 64 * 1024 * 1024;
const maximumUnpacked = 256 * 1024 * 1024;
const silence = 30_000;

async function download(url: string): Promise<Readable> {
  const { ok, status, body } = await fetch(url);
  if (ok && body) return Readable.fromWeb(body as import("node:stream/web").ReadableStream<Uint8Array>);
  await body?.cancel();
  throw new Error(`its server answers ${status}`);
}

/** @throws Error if no folder has Slipway's MODULE.bazel */
async function releasePrefix(archive: Buffer): Promise<string> {
  const isModule = ({ path }: { readonly path: string }) => /^([^/]+\/)?MODULE\.bazel$/.test(path);
  const tar = limited(decompressLayer(Readable.from([archive])), { bytes: maximumUnpacked });
  for await (const entry of listTar(tar, (each) => (isModule(each) ? 64 * 1024 : 0))) {
    if (!isModule(entry) || !new ModuleFile(entry.head?.toString() ?? "").isModule("slipway")) continue;
    return entry.path.slice(0, -"/MODULE.bazel".length);
  }
  throw new Error("it has no MODULE.bazel of Slipway");
}

/** A commit must be one that others can fetch; else the folder is the source. */
async function sourceOfClone(folder: string): Promise<string> {
  const git = async (...args: string[]) => (await run("git", ["-C", folder, ...args])).stdout.trim();
  try {
    const isWhole = (await git("rev-parse", "--show-toplevel")) === (await realpath(folder));
    const isClean = (await git("status", "--porcelain")) === "";
    const branches = await git("branch", "--remotes", "--contains", "HEAD", "--format=%(refname:lstrip=2)");
    const [branch] = branches.split("\n", 1);
    if (isWhole && isClean && branch) {
      const remote = await git("remote", "get-url", branch.split("/", 1)[0] ?? "");
      if (/^(https?|ssh|git|file):\/\/|^[\w.-]+@[\w.-]+:/.test(remote)) {
        const withoutPassword = remote.replace(/^(https?:\/\/)[^/@]*@/, "$1");
        return gitOverride(withoutPassword, await git("rev-parse", "HEAD"));
      }
    }
  } catch {
    // Not a clone, or git is not installed.
  }
  return folderOverride(folder);
}

async function releaseOfPackage(): Promise<Release | undefined> {
  const file = join(dirname(dirname(fileURLToPath(import.meta.url))), "package.json");
  const text = await readFile(file, "utf8").catch(() => "{}");
  return (JSON.parse(text) as { readonly slipway?: Release }).slipway;
}

function absolute(override: string, workspace: string): string {
  if (!override.startsWith("local_path_override")) return override;
  return override.replace(
    /(\bpath\s*=\s*)"([^"\\]*)"/,
    (_, start: string, path: string) => `${start}${starlark(resolve(workspace, path))}`,
  );
}

function folderOverride(path: string): string {
  return override("local_path_override", { path });
}

function gitOverride(remote: string, commit: string): string {
  return override("git_override", { commit, remote });
}

function archiveOverride(url: string, integrity: string, prefix: string): string {
  return override("archive_override", { integrity, strip_prefix: prefix, urls: [url] });
}

function override(name: string, values: Readonly<Record<string, string | readonly string[]>>): string {
  const text = (value: string | readonly string[]) =>
    typeof value === "string" ? starlark(value) : `[${value.map(starlark).join(", ")}]`;
  const lines = Object.entries(values).map(([key, value]) => `    ${key} = ${text(value)},\n`);
  return `${name}(\n    module_name = "slipway",\n${lines.join("")})`;
}

/** Starlark knows only octal escapes of control characters. */
function starlark(text: string): string {
  const escaped = text.replace(/["\\]|[^ -\u{10ffff}]/gu, (character) => {
    const code = character.charCodeAt(0);
    return `\\${code < 32 ? code.toString(8).padStart(3, "0") : character}`;
  });
  return `"${escaped}"`;
}
