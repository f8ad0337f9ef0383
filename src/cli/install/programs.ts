import { createHash, randomUUID } from "node:crypto";
import { constants, createReadStream, existsSync, mkdirSync, rmSync } from "node:fs";
import { chmod, copyFile, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../../core/errors.ts";
import { makeFolders, replaceFile, syncFolder } from "../../core/files.ts";
import { removedAtEnd } from "../../core/interrupts.ts";

export interface Programs {
  readonly node: string;
  readonly bundles: string;
  readonly files: readonly string[];
  /** By name of the executable: a file of the bundles, and further arguments for Node. */
  readonly executables: Readonly<Record<string, readonly string[]>>;
}

/** One folder per version. */
const hidden = ".slipway";

/** Installs atomically, in a folder that can be moved. The previous version stays for running processes. */
export async function installPrograms(folder: string, programs: Programs): Promise<void> {
  try {
    const versions = join(folder, hidden);
    await makeFolders(versions);
    const version = await hashOf(programs);
    if (!existsSync(join(versions, version))) await copyVersion(programs, versions, version);
    const before = new Set([version]);
    for (const [name, words] of Object.entries(programs.executables)) {
      const path = join(folder, name);
      const old = /\.slipway\/([0-9a-f]{32})\//.exec(await readFile(path, "utf8").catch(() => ""))?.[1];
      if (old) before.add(old);
      await replaceFile(path, script(name, version, words), versions, 0o755);
      // The folder is often shared by all users, so ignore the umask.
      await chmod(path, 0o755);
    }
    for (const each of await readdir(versions)) {
      if (!before.has(each)) await rm(join(versions, each), { recursive: true, force: true });
    }
  } catch (cause) {
    throw new UserError(
      { code: "installation-failed", culprit: folder },
      `Nothing can be installed into ${folder}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      "Name a folder that you can write to, with room for 150 MB.",
      { cause },
    );
  }
}

async function hashOf({ node, bundles, files }: Programs): Promise<string> {
  const hash = createHash("sha256");
  for (const path of [node, ...files.toSorted().map((file) => join(bundles, file))]) {
    hash.update(`${path === node ? "node" : path.slice(bundles.length)}\0`);
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  }
  return hash.digest("hex").slice(0, 32);
}

/** Copies with shared blocks if the file system supports it. A hard link would change with the build's file. */
async function copyVersion({ node, bundles, files }: Programs, versions: string, version: string): Promise<void> {
  const draft = join(versions, `new-${randomUUID()}`);
  const release = removedAtEnd(() => rmSync(draft, { recursive: true, force: true, maxRetries: 3 }));
  try {
    // At once: an asynchronous call could bring it back after a signal has removed the draft.
    mkdirSync(draft);
    const copies = [[node, "node"], ...files.map((file) => [join(bundles, file), file])] as const;
    for (const [source = "", file = ""] of copies) {
      const copy = join(draft, file);
      mkdirSync(dirname(copy), { recursive: true });
      await chmod(dirname(copy), 0o755);
      await copyFile(source, copy, constants.COPYFILE_FICLONE);
      await chmod(copy, file === "node" ? 0o755 : 0o644);
    }
    await rename(draft, join(versions, version));
    await syncFolder(versions);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another installation of the same version was faster.
    if (!existsSync(join(versions, version))) throw error;
  } finally {
    release();
  }
}

function script(name: string, version: string, words: readonly string[]): string {
  return `#!/bin/sh
# ${name}, put here by \`slipway install\`.
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in /*) self=$link ;; *) self=$(dirname -- "$self")/$link ;; esac
done
programs=$(dirname -- "$self")/${hidden}/${version}
exec "$programs/node" --disable-warning=ExperimentalWarning --max-semi-space-size=1 "$programs/${words.join('" "')}" "$@"
`;
}
