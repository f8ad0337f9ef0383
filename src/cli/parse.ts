import process from "node:process";
import yargs from "yargs";
import { groups } from "./groups.ts";
import { summary, widest } from "./overview.ts";
import { usageError } from "./usage-error.ts";
import { version } from "./version.ts";

/**
 * Runs the command that a command line names.
 *
 * @param args without the program's name
 * @throws UserError for a command line that means nothing, and whatever the command throws
 */
export async function parse(args: readonly string[]): Promise<void> {
  let parser = yargs([...args])
    .scriptName("slipway")
    .usage(`$0 COMMAND\n\n${summary}`)
    .version(version)
    .strict()
    .demandCommand(1, "slipway needs a command.")
    .wrap(Math.min(widest, process.stdout.columns ?? widest))
    .fail((message, error, usage) => {
      // What the types call the parser is what knows its help.
      throw error ?? usageError(message, (usage as unknown as { help(): string }).help());
    });
  // yargs waits for no builder when it is asked for completions.
  const isCompletion = args.includes("--get-yargs-completions");
  for (const [name, { describe, load }] of Object.entries(groups)) {
    const loaded = isCompletion && args.includes(name.split(" ")[0] as string) ? await load() : undefined;
    parser = parser.command(
      name,
      describe,
      loaded ? (group) => loaded.builder(group) : async (group) => (await load()).builder(group),
      async (options) => (await load()).handler?.(options),
    );
  }
  await parser.parseAsync();
}
