import { allFields, differencesOf } from "../config/difference.ts";
import type { JobLock } from "./schema.ts";

export interface Change {
  /** Of the deployment: `code.GitRepoCommit.commit`. */
  readonly field: string;
  /** As JSON; undefined: the field is missing. Values of the job's variables are never shown. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** The moving name that was asked for and now means something else: `branch main`. */
  readonly because?: string;
}

export function diffLocks({ deployment }: JobLock, after: JobLock): Change[] {
  return differencesOf(deployment, after.deployment, allFields).map((change) => {
    const { field } = change;
    const because = reason(field, after);
    const show = (value: unknown) =>
      value !== undefined && field.startsWith("environment.") ? "(not shown)" : JSON.stringify(value);
    return {
      field,
      before: show(change.before),
      after: show(change.after),
      ...(because === undefined ? {} : { because }),
    };
  });
}

function reason(field: string, { source }: JobLock): string | undefined {
  const { interpreter, code } = source;
  if (field.endsWith(".commit") && code && "GitRepoBranch" in code) return `branch ${code.GitRepoBranch.branch}`;
  if (!field.startsWith("interpreter.") || !interpreter) return undefined;
  if ("ContainerAtTag" in interpreter) return `tag ${interpreter.ContainerAtTag.tag}`;
  if ("ImageTarget" in interpreter) return `target ${interpreter.ImageTarget.target}`;
  return field.endsWith(".content") ? "files of the environment" : undefined;
}
