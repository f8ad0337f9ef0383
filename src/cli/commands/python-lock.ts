import { existsSync } from "node:fs";
import process from "node:process";
import { UserError } from "../../core/errors.ts";
import { userPath } from "../../core/user-path.ts";
import { withNewFile, writeFully } from "../../layer/output.ts";
import { lockRequirements } from "../../python-environments/lock-requirements.ts";
import { command } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { required } from "./options.ts";

export const lock = command(
  {
    file: required("Requirements file, NAME.in; the lock is written to NAME.txt beside it"),
    "python-version": {
      type: "string",
      default: "3.11",
      describe: "Python version, the same as python_version of python.install",
    },
  },
  async ({ file, pythonVersion: python }) => {
    const path = userPath(file);
    if (!path.endsWith(".in")) {
      throw optionError(
        file,
        `${file} does not end with .in.`,
        "Name the file requirements.in; the lock becomes requirements.txt.",
      );
    }
    if (!/^3\.\d+$/.test(python)) {
      throw optionError(
        "--python-version",
        `${python} is not a version of Python like 3.11.`,
        "Write two numbers, such as 3.11.",
      );
    }
    if (!existsSync(path)) {
      throw new UserError(
        { code: "file-unreadable", culprit: file },
        `${file} does not exist.`,
        "Create it and list the packages in it, one package per line, such as pandas or pandas==2.2.3.",
      );
    }
    const text = await lockRequirements(path, { name: file, python, env: process.env });
    const output = path.replace(/in$/, "txt");
    await withNewFile(output, (fd) => writeFully(fd, Buffer.from(text)));
    const packages = text.split("\n").filter((line) => /^[A-Za-z0-9]/.test(line)).length;
    process.stderr.write(`${file.replace(/in$/, "txt")}: ${packages} packages.\n`);
  },
  (yargs) => yargs.example("$0 python lock requirements.in", "Write requirements.txt"),
);
