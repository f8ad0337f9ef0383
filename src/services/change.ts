import type { Difference } from "../config/difference.ts";
import type { Kind } from "./kubernetes/manifest.ts";

export interface Change {
  /** `start`: the container exists, but does not run. */
  readonly action: "create" | "change" | "start" | "delete";
  readonly kind: Kind | "Container";
  /** Of a container: `NAME-0` is the first replica of a service. */
  readonly name: string;
  /** Only of `change`, and never of a Secret. */
  readonly fields?: readonly string[];
  /** The same fields with their values, without those of variables. */
  readonly differences?: readonly Difference[];
}

/** Characters of a value that are shown; longer ones are cut in the middle. */
const longest = 160;

/** `change Deployment web: spec.replicas`, and below it `  spec.replicas: 1 → 2`. */
export function changeLines({
  action,
  kind,
  name,
  fields = [],
  differences = [],
}: Omit<Change, "action" | "kind"> & Readonly<Record<"action" | "kind", string>>): string {
  const head = `${action} ${kind} ${name}${fields.length === 0 ? "" : `: ${fields.join(", ")}`}`;
  const lines = differences.flatMap((difference) => describe(difference).map((line) => `  ${line}`));
  return [head, ...lines].map((line) => `${line}\n`).join("");
}

function describe({ field, before, after }: Difference): string[] {
  if (before === undefined && after === undefined) return [];
  const [old, current] = [commitsIn(before), commitsIn(after)];
  if (old.length > 0 || current.length > 0) {
    const places = [...new Set([...old, ...current].map(({ place }) => place))];
    const commitAt = (place: string, commits: typeof old) => commits.find((each) => each.place === place)?.commit;
    const moved = places.filter((place) => commitAt(place, old) !== commitAt(place, current));
    if (moved.length > 0) {
      return moved.map((place) => {
        const what = place === "" ? field : `${field}: ${place}`;
        return `${what}: commit ${commitAt(place, old) ?? "(none)"} → ${commitAt(place, current) ?? "(none)"}`;
      });
    }
  }
  return [`${field}: ${show(before)} → ${show(after)}`];
}

/** Finds commits in the arguments of the sync program and in the paths of checkouts. */
function commitsIn(value: unknown): readonly { readonly place: string; readonly commit: string }[] {
  const texts = (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string");
  return texts.flatMap((text) => {
    const json = /^--repository=(.*)$/s.exec(text)?.[1];
    if (json !== undefined) {
      const { url, commit } = JSON.parse(json) as { readonly url: string; readonly commit?: string };
      return commit === undefined ? [] : [{ place: url, commit }];
    }
    const commit = /(?:^|\/)repositories\/[0-9a-f]{16}\/([0-9a-f]{40,64})$/.exec(text)?.[1];
    return commit === undefined ? [] : [{ place: "", commit }];
  });
}

function show(value: unknown): string {
  if (value === undefined) return "(none)";
  const text = typeof value === "string" && !/[\s"]|^$/.test(value) ? value : JSON.stringify(value);
  if (text.length <= longest) return text;
  return `${text.slice(0, longest / 2)}…${text.slice(-longest / 2)}`;
}

export function withoutVariables(difference: Difference): Difference {
  const { field } = difference;
  if (/(^|\.)env\b/.test(field)) return { field };
  const entries = Object.entries(difference).map(([name, value]) => [name, namesAlone(value)]);
  return { ...(Object.fromEntries(entries) as Omit<Difference, "field">), field };
}

function namesAlone(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(namesAlone);
  if (typeof part !== "object" || part === null) return part;
  const names = (env: unknown) => (Array.isArray(env) ? env.map((each: { readonly name?: string }) => each.name) : env);
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, name === "env" ? names(value) : namesAlone(value)]),
  );
}
