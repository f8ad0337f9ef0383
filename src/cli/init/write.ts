import { mkdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { UserError } from "../../core/errors.ts";
import { replaceFile } from "../../core/files.ts";
import type { Plan } from "./plan.ts";

const programs = /^tools\/bazel$|\.sh$/;

/** Writes all or none, and over no file. The UserError has the lines for MODULE.bazel. */
export async function write(folder: string, { files, additions }: Plan): Promise<void> {
  const made: string[] = [];
  try {
    for (const name of Object.keys({ ...files, ...additions })) await requireInside(folder, name);
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      const first = await mkdir(dirname(path), { recursive: true });
      if (first !== undefined) made.push(first);
      await writeFile(path, text, { flag: "wx", mode: programs.test(name) ? 0o755 : 0o644 });
      made.push(path);
    }
    for (const [name, text] of Object.entries(additions)) await append(join(folder, name), text);
  } catch (cause) {
    for (const path of made.reverse()) await rm(path, { recursive: true, force: true });
    const { "MODULE.bazel": module = "" } = additions;
    const lines = module === "" ? "" : `\nMODULE.bazel needs these lines:\n\n${module.trim()}`;
    throw new UserError(
      { code: "installation-failed", culprit: folder },
      `Nothing was written to ${folder}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      `Make it writable, and run the command again.${lines}`,
      { cause },
    );
  }
}

/** A repository that somebody else made can have a link to any file of the user. */
async function requireInside(folder: string, name: string): Promise<void> {
  for (let path = join(folder, name); path !== folder && path !== dirname(path); path = dirname(path)) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) continue;
    if (real.startsWith(`${await realpath(folder)}${sep}`)) return;
    throw new Error(`${name} is outside of it, at ${real}`);
  }
}

async function append(path: string, text: string): Promise<void> {
  const before = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return "";
  });
  if (before === "") return writeFile(path, text);
  const file = await realpath(path);
  const { mode } = await stat(file);
  await replaceFile(file, `${before.replace(/\n*$/, "\n")}${text}`, dirname(file), mode & 0o777);
}
