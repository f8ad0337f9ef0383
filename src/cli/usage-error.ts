import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

export function optionError(culprit: string, problem: string, remedy: string): UserError {
  return new UserError({ code: "command-line-invalid", culprit }, problem, remedy);
}

export function requireWhole(option: string, value: number | undefined, from: number, what: string, remedy: string) {
  if (value === undefined || (Number.isInteger(value) && value >= from)) return;
  throw optionError(option, `${option} is not ${what}.`, remedy);
}

/** Suggests what was probably meant, or the help. */
export function usageError(said: string, help: string): UserError {
  const [synopsis = "slipway"] = help.split("\n", 1);
  const command = synopsis.replace(/ [<[A-Z].*$/, "");
  const look = `See \`${command} --help\`.`;
  const names = (section: string, pattern: RegExp) => {
    const [, lines = ""] = new RegExp(`^${section}:\n((?: .*\n?)*)`, "m").exec(help) ?? [];
    return [...lines.matchAll(pattern)].map((match) => match[1] as string);
  };
  const commands = names("Commands", new RegExp(`^ {2}${command} ([a-z-]+)`, "gm"));
  const options = names("Options", /^ +(?:-[a-zA-Z], )?--([a-z-]+)/gm);

  const [, unknown] = /^Unknown (?:argument|command)s?: (.*)$/.exec(said) ?? [];
  if (unknown !== undefined) return unknownWord(command, unknown.split(", ", 1)[0] ?? "", { commands, options, look });
  const [, missing] = /^Missing required arguments?: (.*)$/.exec(said) ?? [];
  if (missing !== undefined) {
    const list = missing.split(", ").map((name) => `--${name}`);
    return optionError(list[0] ?? command, `${command} needs ${list.join(" and ")}.`, look);
  }
  if (said.startsWith("Not enough non-option arguments")) {
    const positionals = synopsis.match(/<[^>]+>/g)?.join(" ") ?? "more";
    return optionError(positionals, `${command} needs ${positionals}.`, look);
  }
  const [, option, given, choices] = /Argument: (\S+), Given: (.*), Choices: (.*)$/m.exec(said) ?? [];
  if (given !== undefined)
    return optionError(`--${option}`, `--${option} cannot be ${given}.`, `Choose among ${choices}.`);
  const [, valueless] = /^Not enough arguments following: (.*)$/.exec(said) ?? [];
  if (valueless !== undefined) return optionError(`--${valueless}`, `--${valueless} has no value.`, look);
  const [, one, other] = /^Arguments (\S+) and (\S+) are mutually exclusive$/.exec(said) ?? [];
  if (other !== undefined)
    return optionError(`--${other}`, `--${one} and --${other} exclude each other.`, "Leave one of them out.");
  return optionError(command, said, look);
}

function unknownWord(
  command: string,
  word: string,
  { commands, options, look }: { commands: readonly string[]; options: readonly string[]; look: string },
): UserError {
  // yargs omits the dashes of options, so an unknown word may be one or an extra argument.
  const isCommand = commands.length > 0;
  const meant = nearest(word, isCommand ? commands : options);
  const kind = isCommand ? "command" : "option or further argument";
  const instead = meant === undefined ? "" : `Did you mean \`${isCommand ? `${command} ` : "--"}${meant}\`? `;
  return optionError(word, `${command} has no ${kind} ${JSON.stringify(word)}.`, `${instead}${look}`);
}
