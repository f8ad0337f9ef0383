import process from "node:process";
import { endedByInterrupt, untilInterrupted } from "../../core/until-interrupted.ts";
import { userPath } from "../../core/user-path.ts";
import { type Change, changeLines } from "../../services/change.ts";
import { type EngineName, openServiceEngine } from "../../services/open-engine.ts";
import { type ServiceFile, servicesMeant } from "../../services/read.ts";
import { optionError } from "../usage-error.ts";
import { notice, printJson } from "./output.ts";

interface FileOptions {
  readonly file: string;
  readonly image?: string | undefined;
  readonly called?: string | undefined;
  readonly json: boolean;
}

interface EngineOptions {
  readonly engine?: EngineName | undefined;
}

export interface WaitOptions {
  readonly wait: boolean;
  /** Seconds. */
  readonly timeLimit: number;
}

function fileOf({ file, image, called = file }: FileOptions): ServiceFile {
  return { path: userPath(file), name: called, ...(image === undefined ? {} : { image }) };
}

/** Prints the manifests of a file's services. Contacts registries and git servers only with `--resolve`. */
export async function printManifests(options: FileOptions & { readonly resolve: boolean }): Promise<void> {
  const { path, name, image } = fileOf(options);
  const { renderFile, resolveOutside } = await import("../../services/kubernetes/render-file.ts");
  const { manifestsAsJson, manifestsAsYaml } = await import("../../services/kubernetes/render-file.ts");
  const rendered = await renderFile(path, name, process.env, options.resolve ? resolveOutside : undefined, image);
  const manifests = rendered.flatMap((each) => each.manifests);
  // Bytes, because text would be escaped for the terminal.
  process.stdout.write(Buffer.from(options.json ? manifestsAsJson(manifests) : manifestsAsYaml(manifests)));
}

export async function planChanges(
  options: FileOptions & EngineOptions & { readonly exitCode: boolean },
): Promise<void> {
  const engine = await openServiceEngine(options.engine, process.env);
  const changes = await engine.plan(fileOf(options), { notice });
  if (options.json) printJson(changes);
  else changes.forEach(printChange);
  if (changes.length === 0) process.stderr.write("Nothing to change.\n");
  if (changes.length > 0 && options.exitCode) process.exitCode = 1;
}

export async function applyChanges(
  options: FileOptions & EngineOptions & WaitOptions & { readonly rollback: boolean },
): Promise<void> {
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
}

export async function deleteByName({
  names,
  engine,
  called,
}: EngineOptions & { readonly names: readonly string[]; readonly called?: string | undefined }): Promise<void> {
  const services = await servicesMeant(names, (file) => ({ path: userPath(file), name: called ?? file }));
  await (await openServiceEngine(engine, process.env)).delete(services, { notice, onChange: printChange });
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
