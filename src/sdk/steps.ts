import { writeSync } from "node:fs";
import { printableLines } from "../core/printable.ts";
import { showsSteps } from "../core/protocol.ts";

/** One less. The compiler gives up on types without an end, such as that of JSON. */
type Less = [never, 0, 1, 2];

/**
 * A value, or what gives it: a promise, such as that of another call. Within arrays and objects too, three levels deep.
 * Nothing becomes null.
 */
export type Input<T, Depth extends 0 | 1 | 2 | 3 = 3> =
  | T
  | PromiseLike<T>
  | (null extends T ? PromiseLike<void> : never)
  | (Depth extends 0 ? never : T extends object ? { readonly [K in keyof T]: Input<T[K], Less[Depth]> } : never);

/** A call, or a map of calls, that the program has asked for. */
export interface Step {
  /** The function's name; with a number, from the second call on. */
  readonly id: string;
  readonly name: string;
  /** The steps whose results it takes. */
  readonly after: readonly string[];
  /** How many items a map has, where that is known before it runs. */
  readonly items?: number;
}

const ids = new Set<string>();
/** The steps of a dry run. Undefined: steps run. */
const pictured: Step[] | undefined = showsSteps(process.env) ? [] : undefined;
/** Steps whose results somebody waits for, in a dry run. */
const waitedFor = new Set<Step>();

/**
 * Makes a step of a call. It runs as soon as what it takes is there. In a dry run for the steps it does not run, and
 * its result never comes.
 *
 * @param name of the function
 * @param takes its arguments
 * @param run gets the arguments with the results of other steps
 */
export function step<Taken, Result>(
  { name, takes, items }: { readonly name: string; readonly takes: Taken; readonly items?: number },
  run: (taken: Taken, known: Step) => Promise<Result>,
): Promise<Result> {
  const promises: PromiseLike<unknown>[] = [];
  collect(takes, promises, []);
  const after = promises.flatMap((promise) => (promise instanceof Handle ? promise.step.id : []));
  const known: Step = { id: newId(name), name, after: [...new Set(after)], ...(items === undefined ? {} : { items }) };
  if (pictured) return unmade(known);
  const result =
    promises.length === 0
      ? run(takes, known)
      : Promise.all(promises).then((values) => run(replaced(takes, values.values()) as Taken, known));
  return Handle.of(known, result);
}

function newId(name: string): string {
  let id = name;
  for (let count = 2; ids.has(id); count++) id = `${name}-${count}`;
  ids.add(id);
  return id;
}

function isPromise(value: object): value is PromiseLike<unknown> {
  return "then" in value && typeof value.then === "function";
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function collect(value: unknown, found: PromiseLike<unknown>[], above: readonly object[]): void {
  if (typeof value !== "object" || value === null || above.includes(value)) return;
  if (isPromise(value)) found.push(value);
  else if (Array.isArray(value) || isPlain(value)) {
    for (const member of Object.values(value)) collect(member, found, [...above, value]);
  }
}

/** A copy with values in the place of promises, in the order of `collect`. One that gives nothing is null. */
function replaced(value: unknown, values: Iterator<unknown>, above: readonly object[] = []): unknown {
  if (typeof value !== "object" || value === null || above.includes(value)) return value;
  if (isPromise(value)) return values.next().value ?? null;
  const within = [...above, value];
  if (Array.isArray(value)) return value.map((member) => replaced(member, values, within));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replaced(member, values, within)]));
}

/** The result of a step, and what the program makes of it with `then`. */
class Handle<Result> extends Promise<Result> {
  step!: Step;

  static of<Result>(step: Step, result: PromiseLike<Result> | undefined): Handle<Result> {
    const handle = new Handle<Result>((resolve) => result && resolve(result));
    handle.step = step;
    return handle;
  }

  // biome-ignore lint/suspicious/noThenProperty: `await` of a derived class calls it
  override then<Value = Result, Other = never>(
    onValue?: ((value: Result) => Value | PromiseLike<Value>) | null,
    onError?: ((error: unknown) => Other | PromiseLike<Other>) | null,
  ): Promise<Value | Other> {
    if (pictured) waitedFor.add(this.step);
    const next = super.then(onValue, onError) as Handle<Value | Other>;
    next.step = this.step;
    return next;
  }
}

function unmade<Result>(known: Step): Promise<Result> {
  if (pictured?.length === 0) process.once("beforeExit", printSteps);
  pictured?.push(known);
  return Handle.of<Result>(known, undefined);
}

/** Prints the steps when nothing is left that the program could do without their results. */
function printSteps(): void {
  const lines = (pictured ?? []).map(({ id, after, items }) => {
    const count = items === undefined ? "" : ` (${items} ${items === 1 ? "item" : "items"})`;
    return `would run ${id}${count}${after.length > 0 ? ` after ${after.join(", ")}` : ""}\n`;
  });
  writeSync(1, printableLines(lines.join("")));
  const taken = new Set(pictured?.flatMap(({ after }) => after));
  const names = [...waitedFor].map(({ id }) => id).filter((id) => !taken.has(id));
  if (names.length > 0) {
    writeSync(
      2,
      `slipway: The program waits for ${names.join(", ")}. Steps that depend on how it uses the result are not listed.\n`,
    );
  }
  // A body that waits for ever is no error here.
  process.exit();
}
