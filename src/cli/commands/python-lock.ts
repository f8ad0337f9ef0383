import { existsSync } from "node:fs";
import process from "node:process";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { UserError } from "../../core/errors.ts";
import { lockRequirements } from "../../environment/lock-requirements.ts";
import { withNewFile, writeFully } from "../../layer/output.ts";
import { optionError } from "../usage-error.ts";
import { userPath } from "./user-path.ts";

interface Options {
  readonly file: string;
  readonly "python-version": string;
}

export const command = "lock <file>";
export const describe = "Lock Python packages to the newest versions, with hashes";

export function builder(yargs: Argv): Argv<Options> {
  return yargs
    .positional("file", {
      type: "string",
      demandOption: true,
      describe: "Requirements file, NAME.in; the lock is written to NAME.txt beside it",
    })
    .option("python-version", {
      type: "string",
      default: "3.11",
      describe: "Python version, the same as python_version of python.install",
    })
    .example("$0 python lock requirements.in", "Write requirements.txt");
}

/** Writes the lock beside the requirements file. */
export async function handler(options: ArgumentsCamelCase<Options>): Promise<void> {
  const path = userPath(options.file);
  if (!path.endsWith(".in")) {
    throw optionError(
      options.file,
      `${options.file} does not end with .in.`,
      "Name the file requirements.in; the lock becomes requirements.txt.",
    );
  }
  if (!/^3\.\d+$/.test(options["python-version"])) {
    throw optionError(
      "--python-version",
      `${options["python-version"]} is not a version of Python like 3.11.`,
      "Write two numbers, such as 3.11.",
    );
  }
  if (!existsSync(path)) {
    throw new UserError(
      { code: "file-unreadable", culprit: options.file },
      `${options.file} does not exist.`,
      "Create it and list the packages in it, one package per line, such as pandas or pandas==2.2.3.",
    );
  }
  const lock = await lockRequirements(path, {
    name: options.file,
    python: options["python-version"],
    env: process.env,
  });
  const output = path.replace(/in$/, "txt");
  await withNewFile(output, (fd) => writeFully(fd, Buffer.from(lock)));
  const packages = lock.split("\n").filter((line) => /^[A-Za-z0-9]/.test(line)).length;
  process.stderr.write(`${options.file.replace(/in$/, "txt")}: ${packages} packages.\n`);
}
