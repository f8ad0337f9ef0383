import { fieldManager } from "./apply.ts";

/** Fields of an object that somebody else has set. */
export interface OthersFields {
  /** The name that the other program gave itself: `kubectl-edit`. */
  readonly manager: string;
  /** As `spec.template.spec.containers[main].resources.limits.cpu`. Sorted. */
  readonly fields: readonly string[];
}

/** The note of an API server about who has set which fields, in the form `FieldsV1`. */
interface Managed {
  readonly metadata: {
    readonly managedFields?: readonly {
      readonly manager?: string;
      readonly subresource?: string;
      readonly fieldsV1?: object;
    }[];
  };
}

/** Annotations with which Kubernetes and kubectl keep their own books. */
const bookkeeping = /^metadata\.annotations\.(deployment\.kubernetes\.io|kubectl\.kubernetes\.io|kubernetes\.io)\//;

/**
 * The fields of an object that others have set and that `apply` has left alone, or would leave: those that it takes back are Slipway's in its answer.
 * What controllers report about an object is not among them, nor what an autoscaler does.
 */
export function fieldsOfOthers(object: object): readonly OthersFields[] {
  const entries = (object as Managed).metadata.managedFields ?? [];
  const own = new Set(
    entries.filter(({ manager }) => manager === fieldManager).flatMap(({ fieldsV1 = {} }) => leaves(fieldsV1)),
  );
  const byManager = new Map<string, Set<string>>();
  for (const { manager = "", subresource, fieldsV1 = {} } of entries) {
    if (manager === fieldManager || subresource !== undefined) continue;
    const fields = leaves(fieldsV1).filter(
      (field) => !own.has(field) && !bookkeeping.test(field) && !field.startsWith("status."),
    );
    if (fields.length > 0) byManager.set(manager, new Set([...(byManager.get(manager) ?? []), ...fields]));
  }
  return [...byManager].map(([manager, fields]) => ({ manager, fields: [...fields].sort() }));
}

/** The paths to what is set, without the groups on the way there. */
function leaves(fields: object, path = ""): string[] {
  return Object.entries(fields).flatMap(([key, below]) => {
    // The group or the item itself.
    if (key === ".") return [];
    const here = path + partOf(key, path);
    const inside = leaves(below as object, here);
    return inside.length > 0 ? inside : [here];
  });
}

/** `f:NAME` is a field, `k:{"name":"main"}` an item of a list by what tells it from others, `v:"a"` one of a set, `i:0` one by its place. */
function partOf(key: string, path: string): string {
  const text = key.slice(2);
  if (key.startsWith("f:")) return path === "" ? text : `.${text}`;
  if (!key.startsWith("k:")) return `[${text}]`;
  return `[${Object.values(JSON.parse(text) as object).join("/")}]`;
}
