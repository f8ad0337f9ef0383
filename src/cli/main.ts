import process from "node:process";
import yargs, { type Argv } from "yargs";
import { hideBin } from "yargs/helpers";
import { exitStatusOf, messageOf } from "../oci/errors.ts";
import { usageError } from "./usage-error.ts";
import { version } from "./version.ts";

/** Columns that help takes at most. */
const widest = 100;

/** A group of commands, or one command, loaded when it is the one that was asked for: the others cost nothing. */
interface Group {
  readonly describe: string;
  readonly load: () => Promise<{ builder(yargs: Argv): Argv; handler?(options: object): Promise<void> }>;
}

const groups: Readonly<Record<string, Group>> = {
  credentials: {
    describe: "Where the secrets for registries, git servers and downloads are",
    load: () => import("./commands/credentials.ts"),
  },
  "dev <target>": {
    describe: "Run a target, and again after every edit",
    load: () => import("./commands/dev.ts"),
  },
  doctor: {
    describe: "What this machine has and lacks, and how to get it",
    load: () => import("./commands/doctor.ts"),
  },
  image: { describe: "Images in registries, and locks of base images", load: () => import("./commands/image.ts") },
  "install <dir>": {
    describe: "Put slipway and the credential helpers into a folder, ready to run",
    load: () => import("./commands/install.ts"),
  },
  job: { describe: "Any interpreter, any code, resolved exactly", load: () => import("./commands/job.ts") },
  registry: { describe: "The embedded registry of this machine", load: () => import("./commands/registry.ts") },
};

/**
 * Runs a command line.
 *
 * @param args without the program's name
 * @returns the exit status: 0, 2 for the user's mistakes, 1 for failures
 */
async function main(args: readonly string[]): Promise<number> {
  let parser = yargs([...args])
    .scriptName("slipway")
    .usage("$0 COMMAND\n\nFrom a Bazel target to a running container in one command.")
    .version(version)
    .strict()
    .demandCommand(1, "slipway needs a command.")
    .wrap(Math.min(widest, process.stdout.columns ?? widest))
    .fail((message, error, usage) => {
      // What the types call the parser is what knows its help.
      throw error ?? usageError(message, (usage as unknown as { help(): string }).help());
    });
  for (const [name, { describe, load }] of Object.entries(groups)) {
    parser = parser.command(
      name,
      describe,
      async (group) => (await load()).builder(group),
      async (options) => (await load()).handler?.(options),
    );
  }
  try {
    await parser.parseAsync();
    // A command may have an outcome of its own to tell by it.
    return Number(process.exitCode ?? 0);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return exitStatusOf(error);
  }
}

process.exitCode = await main(hideBin(process.argv));
