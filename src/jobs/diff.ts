import type { JobLock } from "./lock.ts";
import type { Json } from "./model.ts";

/** One thing that is not as it was. */
export interface Change {
  /** Of the deployment: `code.GitRepoCommit.commit`. */
  readonly field: string;
  /** As JSON; undefined: it was not there. Values of the job's variables are never shown. */
  readonly before?: string;
  readonly after?: string;
  /** What was asked for, where the change is in what that means now: `branch main`. */
  readonly because?: string;
}

/** The changes from one lock to the next, in the order of the fields' names. */
export function diffLocks(before: JobLock, after: JobLock): Change[] {
  const [old, current] = [leaves(before.deployment as unknown as Json), leaves(after.deployment as unknown as Json)];
  const fields = [...new Set([...old.keys(), ...current.keys()])].sort();
  return fields
    .filter((field) => old.get(field) !== current.get(field))
    .map((field) => {
      const because = reason(field, after);
      return {
        field,
        ...shown("before", field, old.get(field)),
        ...shown("after", field, current.get(field)),
        ...(because === undefined ? {} : { because }),
      };
    });
}

function shown(name: "before" | "after", field: string, value: string | undefined): object {
  if (value === undefined) return {};
  return { [name]: field.startsWith("environment.") ? "(not shown)" : value };
}

function reason(field: string, { source }: JobLock): string | undefined {
  const { interpreter, code } = source;
  if (field.endsWith(".commit") && code && "GitRepoBranch" in code) return `branch ${code.GitRepoBranch.branch}`;
  if (!field.startsWith("interpreter.") || !interpreter) return undefined;
  if ("ContainerAtTag" in interpreter) return `tag ${interpreter.ContainerAtTag.tag}`;
  if ("ImageTarget" in interpreter) return `target ${interpreter.ImageTarget.target}`;
  return field.endsWith(".content") ? "files of the environment" : undefined;
}

/** The values that are no objects, by the way to each. Lists count as one value: their items have no names. */
function leaves(value: Json, path = ""): Map<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return new Map([[path, JSON.stringify(value)]]);
  return new Map(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .flatMap(([key, item]) => [...leaves(item, path === "" ? key : `${path}.${key}`)]),
  );
}
