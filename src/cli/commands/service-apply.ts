import process from "node:process";
import { endedByInterrupt, untilInterrupted } from "../../core/until-interrupted.ts";
import { userPath } from "../../core/user-path.ts";
import type { ContainerChange } from "../../services/container/steps.ts";
import { type ServiceEngine, serviceEngine } from "../../services/engine.ts";
import type { Change, LiveObject } from "../../services/kubernetes/apply.ts";
import type { Exposure } from "../../services/kubernetes/expose.ts";
import { servicesMeant } from "../../services/names.ts";
import { changeLines } from "../../services/printed-change.ts";
import { optionError } from "../usage-error.ts";
import { notice, printJson } from "./output.ts";
import { type FileOptions, fileOf } from "./service-file.ts";

type AnyChange = Change | ContainerChange;

/** The options that select services, their engine and the output format. */
interface ApplyOptions extends FileOptions {
  readonly engine?: ServiceEngine | undefined;
  readonly json: boolean;
}

/** Prints what `apply` would change. */
export async function planChanges(options: ApplyOptions & { readonly exitCode: boolean }): Promise<void> {
  const changes = await plan(options);
  if (options.json) printJson(changes);
  else print(changes);
  if (changes.length === 0) process.stderr.write("Nothing to change.\n");
  if (changes.length > 0 && options.exitCode) process.exitCode = 1;
}

async function plan(options: ApplyOptions): Promise<readonly AnyChange[]> {
  const file = fileOf(options);
  if (serviceEngine(options.engine, process.env) === "container") {
    const { planFile } = await import("../../services/container/apply-file.ts");
    return planFile(file, process.env);
  }
  const { applyFile } = await import("../../services/kubernetes/apply-file.ts");
  const { fieldsOfOthers } = await import("../../services/kubernetes/others.ts");
  const onApplied = (object: LiveObject) => {
    for (const { manager, fields } of fieldsOfOthers(object)) {
      notice(
        `${object.kind} ${object.metadata.name}: ${manager} has set ${fields.join(", ")}; apply leaves that as it is.`,
      );
    }
  };
  return applyFile(file.path, file.name, process.env, true, file.image, { onApplied });
}

/** Whether and how long to wait for services, and what to do if they fail. */
interface WaitOptions {
  readonly wait: boolean;
  readonly rollback: boolean;
  /** Seconds. */
  readonly timeLimit: number;
}

/** Makes services match the file, and waits for them if asked to. */
export async function applyChanges(options: ApplyOptions & WaitOptions): Promise<void> {
  const { json, timeLimit } = options;
  requireSeconds(timeLimit);
  const all: AnyChange[] = [];
  const onChanges = (changes: readonly AnyChange[]) => {
    all.push(...changes);
    if (!json) print(changes);
  };
  try {
    if (serviceEngine(options.engine, process.env) === "container") await applyHere(options, onChanges);
    else await applyToCluster(options, onChanges);
  } catch (error) {
    // Standard output is for the error alone.
    if (json) for (const change of all) process.stderr.write(changeLines(change));
    throw error;
  }
  if (json) printJson(all);
  if (all.length === 0) process.stderr.write("Nothing to change.\n");
}

/** @throws UserError for a time limit that is none */
export function requireSeconds(timeLimit: number): void {
  if (timeLimit > 0) return;
  throw optionError("--time-limit", "--time-limit is not a number of seconds.", "Give a number above 0.");
}

type OnChanges = (changes: readonly AnyChange[]) => void;

async function applyHere(options: ApplyOptions & WaitOptions, onChanges: OnChanges): Promise<void> {
  const { wait, rollback, timeLimit } = options;
  const { applyFile } = await import("../../services/container/apply-file.ts");
  await endedByInterrupt(
    () =>
      applyFile(fileOf(options), process.env, {
        ...(wait || rollback ? { timeLimit } : {}),
        isRolledBack: rollback,
        onChange: (change) => onChanges([change]),
        notice,
      }),
    "What was applied stays; the next `slipway service apply` completes it.",
  );
}

async function applyToCluster(options: ApplyOptions & WaitOptions, onChanges: OnChanges): Promise<void> {
  const { wait, rollback, timeLimit } = options;
  const { path, name, image } = fileOf(options);
  const { urlsIn } = await import("../../services/kubernetes/expose.ts");
  const addresses: string[] = [];
  const onApplied = (object: LiveObject) => {
    if (object.kind !== "Ingress" && object.kind !== "HTTPRoute") return;
    for (const url of urlsIn([object as LiveObject & Exposure]).urls ?? [])
      addresses.push(`${object.metadata.name}: ${url}`);
  };
  const tellAddresses = () => {
    for (const address of addresses) notice(address);
  };
  if (!wait && !rollback) {
    const { applyFile } = await import("../../services/kubernetes/apply-file.ts");
    const onChange = (change: Change) => onChanges([change]);
    await applyFile(path, name, process.env, false, image, { onChange, onApplied });
    return tellAddresses();
  }
  const { rollOutFile } = await import("../../services/kubernetes/roll-out.ts");
  await untilInterrupted(
    (signal) =>
      rollOutFile(path, name, process.env, {
        timeLimit,
        isRolledBack: rollback,
        onChanges,
        onApplied,
        notice,
        signal,
        image,
      }),
    "What was applied stays, and its cluster goes on: `slipway service status` tells how it is.",
  );
  if (process.exitCode !== 130) tellAddresses();
}

/** Deletes services by name, or by the files that define them. */
export async function deleteByName({
  names: words,
  engine,
  called,
}: {
  readonly names: readonly string[];
  readonly engine?: ServiceEngine | undefined;
  readonly called?: string | undefined;
}): Promise<void> {
  const services = await servicesMeant(words, (file) => ({ path: userPath(file), name: called ?? file }));
  const onChange = (change: AnyChange) => print([change]);
  if (serviceEngine(engine, process.env) === "container") {
    const { deleteServices } = await import("../../services/container/apply-file.ts");
    await deleteServices(services, process.env, notice, onChange);
  } else {
    const { deleteServices } = await import("../../services/kubernetes/apply-file.ts");
    const names = services.map(({ name }) => name);
    await deleteServices(names, process.env, onChange);
  }
}

function print(changes: readonly AnyChange[]): void {
  for (const change of changes) process.stdout.write(changeLines(change));
}
