import process from "node:process";
import type { Change } from "../../service/kubernetes/apply.ts";
import { applyFile, deleteServices } from "../../service/kubernetes/apply-file.ts";
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

/** Makes what is in the cluster what the file says. */
export async function applyChanges({ file, json }: ApplyOptions): Promise<void> {
  print(await applyFile(userPath(file), file, process.env, false), json);
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
