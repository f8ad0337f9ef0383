import { constants, createReadStream } from "node:fs";
import { chmod, copyFile, open, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors.ts";
import { replaceWith } from "../core/files.ts";
import { waitForLock } from "../core/lock.ts";
import { ifMissing, isDiskFull } from "./errors.ts";

/** Under a hash of its content: the next build replaces the outputs, but the server lives. `PREFIX-*.SUFFIX`. */
export async function installProgram(source: string, folder: string, name: string): Promise<string> {
  try {
    const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
    for await (const chunk of createReadStream(source, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
    const target = join(folder, name.replace("*", hash.digest("hex").slice(0, 32)));
    if (await stat(target).catch(ifMissing)) {
      await touch(target);
      return target;
    }
    // Node has 120 MB: of two that start at once, only one copies it.
    using _lock = await waitForLock(`${folder}.lock`);
    if (await stat(target).catch(ifMissing)) return target;
    for (const name of await readdir(folder)) if (name.startsWith(".")) await rm(join(folder, name), { force: true });
    await replaceWith(target, folder, (draft) => copyTo(source, draft));
    return target;
  } catch (cause) {
    const full = isDiskFull(cause) ? " The disk is full." : "";
    throw new Failure(
      { code: "file-unwritable", culprit: folder },
      `${source} could not be copied into ${folder}: ${(cause as Error).message}.${full}`,
      "Free some space and make the folder writable: the embedded registry runs from there.",
      { cause },
    );
  }
}

const unusedDays = 30;

/** Each start of the server renews the time of the copies that it uses. */
export async function removeOldPrograms(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const status = await stat(join(folder, name)).catch(ifMissing);
    if (status && Date.now() - status.mtimeMs > unusedDays * 24 * 60 * 60 * 1000)
      await rm(join(folder, name), { force: true });
  }
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}

async function copyTo(source: string, draft: string): Promise<void> {
  await copyFile(source, draft, constants.COPYFILE_FICLONE);
  await chmod(draft, 0o700);
  await touch(draft);
  await using handle = await open(draft, "r");
  await handle.sync();
}
