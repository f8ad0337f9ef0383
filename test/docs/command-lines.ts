import { parserOf } from "../../src/cli/parse.ts";

/** The commands in a line of a shell script, as words. Redirections are left out. */
export function commandsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token, double, single] of line.matchAll(/"([^"]*)"|'([^']*)'|\|\||&&|[|;]|[^\s"'|;]+/g)) {
    if (token.startsWith("#")) break;
    if (["|", "||", "&&", ";"].includes(token)) commands.push([]);
    else commands.at(-1)?.push(double ?? single ?? token);
  }
  return commands.map((words) => {
    const redirection = words.findIndex((word) => /^\d?[<>]/.test(word));
    return redirection < 0 ? words : words.slice(0, redirection);
  });
}

/** The arguments of `slipway` in a command, however it is started. Undefined if the command is another one. */
export function slipwayArguments(command: readonly string[]): readonly string[] | undefined {
  const words = command.slice(command.findIndex((word) => !/^[A-Z_]+=/.test(word)));
  const [program = "", second, third, fourth] = words;
  if (/(^|\/)slipway$/.test(program)) return words.slice(1);
  if (program === "npx" && second === "bazel-slipway") return words.slice(2);
  const isBazel = /(^|\/)bazel$/.test(program) && second === "run" && third === "@slipway//:slipway";
  return isBazel && fourth === "--" ? words.slice(4) : undefined;
}

class Accepted extends Error {}

/** Says why the command line refuses arguments, as its own parser does. Undefined if it accepts them. Runs nothing. */
export async function refusalOf(args: readonly string[]): Promise<string | undefined> {
  const parser = (await parserOf(args))
    .exitProcess(false)
    .middleware(() => {
      throw new Accepted();
    })
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
  try {
    await parser.parseAsync();
  } catch (error) {
    return error instanceof Accepted ? undefined : (error as Error).message;
  }
  return "it runs no command";
}

/** The same for text that names a command, perhaps without the arguments that it needs. */
export async function refusalOfMention(args: readonly string[]): Promise<string | undefined> {
  const refusal = await refusalOf(args);
  if (refusal?.startsWith("Not enough non-option arguments")) return refusalOfMention([...args, "x"]);
  const [, missing] = /^Missing required arguments?: (.*)$/.exec(refusal ?? "") ?? [];
  if (missing !== undefined) return refusalOfMention([...args, ...missing.split(", ").map((name) => `--${name}=x`)]);
  return refusal !== undefined && /needs a command|Choices: /.test(refusal) ? undefined : refusal;
}
