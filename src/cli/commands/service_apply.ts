import process from "node:process";
import { UserError } from "../../oci/errors.ts";
import type { Change } from "../../service/kubernetes/apply.ts";
import { applyFile, deleteServices } from "../../service/kubernetes/apply-file.ts";
import { rollOutFile } from "../../service/kubernetes/roll-out.ts";
import { untilInterrupted } from "./interrupt.ts";
import { userPath } from "./user-path.ts";

/** How a command line names services, and how it wants the answer. */
interface ApplyOptions {
  readonly file: string;
  readonly json: boolean;
}

/** Shows what applying would change. */
export async function planChanges({
  file,
  json,
  exitCode,
}: ApplyOptions & { readonly exitCode: boolean }): Promise<void> {
  const changes = await applyFile(userPath(file), file, process.env, true);
  print(changes, json);
  if (changes.length > 0 && exitCode) process.exitCode = 1;
}

/** How long it is waited for services, and what then. */
interface WaitOptions {
  readonly wait: boolean;
  readonly rollback: boolean;
  /** Seconds. */
  readonly timeLimit: number;
}

/** Makes what is in the cluster what the file says, and waits for it where that is asked for. */
export async function applyChanges({
  file,
  json,
  wait,
  rollback,
  timeLimit,
}: ApplyOptions & WaitOptions): Promise<void> {
  if (!(timeLimit > 0))
    throw new UserError("--time-limit is not a number of seconds.", "Write one that is more than 0.");
  if (!wait && !rollback) return print(await applyFile(userPath(file), file, process.env, false), json);
  const all: Change[] = [];
  const onChanges = (changes: readonly Change[]) => {
    all.push(...changes);
    if (!json) for (const change of changes) process.stdout.write(`${format(change)}\n`);
  };
  const notice = (text: string) => void process.stderr.write(`slipway: ${text}\n`);
  try {
    await untilInterrupted(
      (signal) =>
        rollOutFile(userPath(file), file, process.env, {
          timeLimit,
          isRolledBack: rollback,
          onChanges,
          notice,
          signal,
        }),
      "What was applied stays, and its cluster goes on: `slipway service status` tells how it is.",
    );
  } finally {
    if (json) print(all, true);
    else if (all.length === 0) process.stderr.write("Nothing to change.\n");
  }
}

/** Deletes services by their names. */
export async function deleteByName({ names }: { readonly names: readonly string[] }): Promise<void> {
  print(await deleteServices(names, process.env), false);
}

function print(changes: readonly Change[], json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(changes, undefined, 2)}\n`);
  else for (const change of changes) process.stdout.write(`${format(change)}\n`);
  if (changes.length === 0) process.stderr.write("Nothing to change.\n");
}

/** `change Deployment web: spec.replicas`. */
function format({ action, kind, name, fields = [] }: Change): string {
  return `${action} ${kind} ${name}${fields.length === 0 ? "" : `: ${fields.join(", ")}`}`;
}
