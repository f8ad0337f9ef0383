import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, posix, resolve } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { runProgram } from "../core/run-program.ts";
import { temporaryFolder } from "../core/temporary-folder.ts";
import { includedFile, requirementLines } from "./requirement-lines.ts";
import { checkRequirements } from "./requirements.ts";
import { findUv, uvError } from "./uv.ts";

/**
 * One version of each package with hashes for every platform, the same text wherever the index is the same.
 *
 * @param python `3.11`, for which the packages are
 */
export async function lockRequirements(
  file: string,
  { name, python, env }: { readonly name: string; readonly python: string; readonly env: Environment },
): Promise<string> {
  await checkRequirements(name, await filesFrom(name, file), { areLocked: false });
  using temporary = temporaryFolder("slipway-lock-");
  const uv = await findUv(env, temporary.path);
  const args = ["pip", "compile", "--generate-hashes", "--universal", "--only-binary=:all:", "--no-header", "--quiet"];
  const place = [`--python=${uv.python}`, `--python-version=${python}`, "--color=never", "--no-progress"];
  // By its name, which uv writes into remarks.
  const { status, stdout, stderr } = await runProgram(uv.path, [...args, ...place, basename(file)], {
    env: uv.env,
    cwd: dirname(file),
  });
  if (status === 0) return stdout;
  throw uvError(stderr, "lock", { file: name, what: name, place: `Python ${python}` });
}

/** A file and those that it includes, where an option could run code of packages. */
async function filesFrom(name: string, file: string, files = new Map<string, string>()): Promise<Map<string, string>> {
  const key = posix.normalize(name);
  // uv tells of one that is missing.
  if (files.has(key) || !existsSync(file)) return files;
  files.set(key, file);
  for (const { text, line } of requirementLines(await readFile(file, "utf8"))) {
    const included = includedFile(text)?.file;
    if (included === undefined) continue;
    if (/^[a-z]+:/i.test(included)) {
      const culprit = `${name}:${line}`;
      const remedy = "Put its content into a file beside this one.";
      throw new UserError(
        { code: "file-invalid", culprit },
        `${culprit}: ${included} is not a file of this machine.`,
        remedy,
      );
    }
    await filesFrom(posix.join(posix.dirname(key), included), resolve(dirname(file), included), files);
  }
  return files;
}
