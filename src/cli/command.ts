import type { Argv, InferredOptionTypes, Options, PositionalOptions } from "yargs";

type Specs = Readonly<Record<string, Options>>;

type CamelCase<Name> = Name extends `${infer One}-${infer Rest}` ? `${One}${Capitalize<CamelCase<Rest>>}` : Name;

export type Given<S extends Specs> = {
  readonly [Name in keyof InferredOptionTypes<S> as CamelCase<Name>]: InferredOptionTypes<S>[Name];
};

export interface Command {
  /** Loads what the builder needs, as yargs completes without waiting. `words` are like `ls [repository]`. */
  prepare(words: string, completed: readonly string[]): Promise<(yargs: Argv) => Argv>;
  readonly run?: (given: never) => Promise<void>;
}

interface CommandOf<S extends Specs> extends Command {
  readonly run: (given: Given<S>) => Promise<void>;
}

type FirstWord<Words> = Words extends `${infer Word} ${string}` ? Word : Words & string;

/** A module exports its command by the first word, and is loaded only when asked for, which keeps startup fast. */
export type Commands<Words extends string = string> = {
  readonly [W in Words]: readonly [
    describe: string | false,
    load: () => Promise<{ readonly [Word in FirstWord<W>]: Command }>,
    /** Other names, which no help shows. */
    ...others: string[],
  ];
};

export function command<const S extends Specs>(
  specs: S,
  run: (given: Given<S>) => Promise<void>,
  more: (yargs: Argv) => Argv = (yargs) => yargs,
): CommandOf<S> {
  const prepare = async (words: string) => {
    const isArgument = (name: string) => new RegExp(`[<[]${name}[.>\\]]`).test(words);
    return (yargs: Argv) => {
      const add = (each: Argv, [name, spec]: [string, Options]) =>
        isArgument(name) ? each.positional(name, spec as PositionalOptions) : each.option(name, spec);
      return more(Object.entries(specs).reduce(add, yargs));
    };
  };
  return { prepare, run };
}

export function group<Words extends string>(name: string, commands: Commands<Words>): Command {
  return {
    prepare: async (_, completed) => {
      const add = await adder(commands, completed);
      return (yargs) => add(yargs).demandCommand(1, `slipway ${name} needs a command.`);
    },
  };
}

export async function adder(commands: Commands, completed: readonly string[]): Promise<(yargs: Argv) => Argv> {
  const adders = Object.entries(commands).map(async ([words, [describe, load, ...others]]) => {
    const word = words.split(" ", 1)[0] as string;
    const loaded = async () => (await load())[word] as Command;
    const prepare = async () => (await loaded()).prepare(words, completed);
    const ready = completed.includes(word) ? await prepare() : undefined;
    // The types leave out that false hides a command.
    const add = (yargs: Argv, name: string, described: string | false) =>
      yargs.command(
        words.replace(word, name),
        described as string,
        ready ?? (async (each) => (await prepare())(each)),
        async (given) => (await loaded()).run?.(given as never),
      );
    return (yargs: Argv) => others.reduce((all, name) => add(all, name, false), add(yargs, word, describe));
  });
  const ready = await Promise.all(adders);
  return (yargs) => ready.reduce((all, add) => add(all), yargs);
}
