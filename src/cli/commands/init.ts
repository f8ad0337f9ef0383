import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import process from "node:process";
import { UserError } from "../../core/errors.ts";
import { shellQuote } from "../../core/shell-quote.ts";
import { userPath } from "../../core/user-path.ts";
import { command } from "../command.ts";
import { ModuleFile } from "../init/module-file.ts";
import { languageOf, type Plan, plan, type Repository } from "../init/plan.ts";
import { findSource } from "../init/source.ts";
import { languages } from "../init/templates.ts";
import { write } from "../init/write.ts";
import { version } from "../version.ts";
import { text } from "./options.ts";

export const init = command(
  {
    folder: {
      type: "string",
      default: ".",
      describe: "Repository folder, new or existing. Slipway overwrites no file in it",
    },
    language: {
      choices: languages,
      describe:
        "Language of the program. Default: python if there are Python requirements and no package.json, else typescript",
    },
    from: text(
      "Source of Slipway for Bazel: a folder, a release archive or its URL, or REMOTE#COMMIT of a git repository. Default: where this slipway came from",
    ),
  },
  async ({ folder, language, from }) => {
    const path = userPath(folder);
    const here = userPath(".");
    refuseNested(path);
    const repository = repositoryAt(path);
    const hasSlipway = new ModuleFile(repository.read("MODULE.bazel") ?? "").dependency("slipway") !== undefined;
    const { templates } = await import("../init/files.ts");
    const planned = plan(repository, templates, {
      name: basename(path),
      language: language ?? languageOf(repository),
      version: version === "unreleased" ? undefined : version,
      source: hasSlipway ? "" : await findSource(from, here, process.env),
    });
    await write(path, planned);
    report(planned, relative(here, path));
  },
  (yargs) =>
    yargs
      .example("$0 init my-app", "Create a repository with a TypeScript program")
      .example("$0 init --language python", "Add a Python program to the repository in this folder"),
);

function report({ files, additions, notes, target, bazel }: Plan, folder: string): void {
  const names = [...Object.keys(files), ...Object.keys(additions)];
  const listed = names.filter((name) => !name.startsWith("tools/bootstrap/")).sort();
  for (const note of notes) process.stderr.write(`${note}\n`);
  const wrote = listed.length === 0 ? "Everything is there already." : `Wrote ${listed.join(", ")}.`;
  process.stderr.write(`${wrote}\n\nRun the program in its image, then without one:\n\n`);
  const change = folder === "" ? [] : [`cd ${quote(folder)}`];
  const commands = [...change, `${bazel} run ${target}`, `${bazel} run ${target}_local`];
  process.stdout.write(commands.map((command) => `${command}\n`).join(""));
}

function quote(path: string): string {
  return shellQuote(path.startsWith("-") ? `./${path}` : path);
}

function repositoryAt(folder: string): Repository {
  return {
    exists: (path) => existsSync(join(folder, path)),
    read: (path) => {
      try {
        return readFileSync(join(folder, path), "utf8");
      } catch (error) {
        if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
        throw new UserError(
          { code: "file-unreadable", culprit: join(folder, path) },
          `${join(folder, path)} cannot be read: ${(error as Error).message}.`,
          "Make it readable, or name another folder.",
        );
      }
    },
  };
}

/** A nested module hides its files from the outer one. */
function refuseNested(folder: string): void {
  if (existsSync(join(folder, "MODULE.bazel"))) return;
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    const marker = ["MODULE.bazel", "WORKSPACE.bazel", "WORKSPACE"].find((name) => existsSync(join(above, name)));
    if (!marker) continue;
    throw new UserError(
      { code: "installation-failed", culprit: folder },
      `${basename(folder)} is inside the repository ${above}, which has a ${marker}.`,
      `Add a program to that one, \`slipway init ${quote(above)}\`, or name a folder outside it.`,
    );
  }
}
