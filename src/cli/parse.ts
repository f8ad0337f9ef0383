import process from "node:process";
import yargs, { type Argv } from "yargs";
import { adder } from "./command.ts";
import { groups } from "./groups.ts";
import { summary, widest } from "./overview.ts";
import { usageError } from "./usage-error.ts";
import { version } from "./version.ts";

export async function parse(args: readonly string[]): Promise<void> {
  const parser = await parserOf(args);
  await parser.parseAsync();
}

export async function parserOf(args: readonly string[]): Promise<Argv> {
  const add = await adder(groups, args.includes("--get-yargs-completions") ? args : []);
  return add(
    yargs([...args])
      .scriptName("slipway")
      .usage(`$0 COMMAND\n\n${summary}`)
      .version(version)
      .alias({ h: "help", V: "version" })
      .strict()
      .demandCommand(1, "slipway needs a command.")
      .wrap(Math.min(widest, process.stdout.columns ?? widest))
      .fail((message, error, usage) => {
        // The types are wrong here: this argument has the help.
        throw error ?? usageError(message, (usage as unknown as { help(): string }).help());
      }),
  );
}
