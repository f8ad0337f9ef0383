import process from "node:process";
import { endedByInterrupt, untilInterrupted } from "../../core/until-interrupted.ts";
import { userPath } from "../../core/user-path.ts";
import { type Change, changeLines } from "../../services/change.ts";
import { openServiceEngine } from "../../services/open-engine.ts";
import { type ServiceFile, servicesMeant } from "../../services/read.ts";
import { command, type Given } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { flag, json, required, text } from "./options.ts";
import { notice, printJson } from "./output.ts";
import { called, engine, timeLimit } from "./service-options.ts";

const ofFile = {
  file: required("Service file, YAML or JSON, or a folder of such files"),
  image: text("Image for services that name none"),
  called,
};

function fileOf({ file, image, called = file }: Given<typeof ofFile>): ServiceFile {
  return { path: userPath(file), name: called, image };
}

const renderOptions = {
  ...ofFile,
  json: flag("Print JSON, one object of kind List, instead of YAML"),
  resolve: flag("Ask registries and git servers for exact versions, as `apply` does"),
};

/** Prints the manifests of a file's services. Contacts registries and git servers only with `--resolve`. */
export const render = command(renderOptions, async (options) => {
  const { manifestsAsJson, manifestsAsYaml, renderFile, resolveOutside } = await import(
    "../../services/kubernetes/render-file.ts"
  );
  const rendered = await renderFile(fileOf(options), process.env, options.resolve ? resolveOutside : undefined);
  const manifests = rendered.flatMap((each) => each.manifests);
  // Bytes, because text would be escaped for the terminal.
  process.stdout.write(Buffer.from(options.json ? manifestsAsJson(manifests) : manifestsAsYaml(manifests)));
});

const planOptions = { ...ofFile, engine, json, "exit-code": flag("Exit with status 1 if something would change") };

export const plan = command(planOptions, async (options) => {
  const engine = await openServiceEngine(options.engine, process.env);
  const changes = await engine.plan(fileOf(options), { notice });
  if (options.json) printJson(changes);
  else changes.forEach(printChange);
  if (changes.length === 0) process.stderr.write("Nothing to change.\n");
  if (changes.length > 0 && options.exitCode) process.exitCode = 1;
});

const applyOptions = {
  ...ofFile,
  engine,
  json,
  wait: flag("Wait until all services are ready, or exit with status 1 and the reason"),
  rollback: flag("Wait, and restore the previous version of a service that does not become ready"),
  "time-limit": { ...timeLimit, describe: "Seconds to wait, with --wait or --rollback" },
};

export const apply = command(applyOptions, async (options) => {
  const { json, rollback } = options;
  const waiting = timeLimitOf({ ...options, wait: options.wait || rollback });
  const all: Change[] = [];
  const onChange = (change: Change) => {
    all.push(change);
    if (!json) printChange(change);
  };
  try {
    const engine = await openServiceEngine(options.engine, process.env);
    const apply = (signal?: AbortSignal) =>
      engine.apply(fileOf(options), { ...waiting, isRolledBack: rollback, onChange, notice, signal });
    await interruptible(engine.isAbortable && waiting.timeLimit !== undefined, apply, engine.afterInterrupt);
  } catch (error) {
    // With --json, standard output is only for the error.
    if (json) for (const change of all) process.stderr.write(changeLines(change));
    throw error;
  }
  if (json) printJson(all);
  if (all.length === 0) process.stderr.write("Nothing to change.\n");
});

const names = { ...required("Names of services, or the files that define them"), array: true } as const;

export const rm = command({ names, engine, called }, async ({ names, engine, called }) => {
  const services = await servicesMeant(names, (file) => ({ path: userPath(file), name: called ?? file }));
  await (await openServiceEngine(engine, process.env)).delete(services, { notice, onChange: printChange });
});

interface WaitOptions {
  readonly wait: boolean;
  /** Seconds. */
  readonly timeLimit: number;
}

export function timeLimitOf({ wait, timeLimit }: WaitOptions): { readonly timeLimit?: number } {
  if (timeLimit > 0) return wait ? { timeLimit } : {};
  throw optionError("--time-limit", "--time-limit is not a number of seconds.", "Give a number above 0.");
}

/** Runs a change that the user may interrupt. One that cannot abort ends with the process. */
export function interruptible(
  isAbortable: boolean,
  change: (signal?: AbortSignal) => Promise<void>,
  words: string,
): Promise<void> {
  return isAbortable ? untilInterrupted(change, words) : endedByInterrupt(change, words);
}

export function printChange(change: Change): void {
  process.stdout.write(changeLines(change));
}
