import { fieldManager } from "./apply.ts";

export interface OthersFields {
  readonly manager: string;
  /** As `spec.template.spec.containers[main].resources.limits.cpu`. Sorted. */
  readonly fields: readonly string[];
}

/** The API server's record of who set which fields, in the form `FieldsV1`. */
interface Managed {
  readonly metadata: {
    readonly managedFields?: readonly {
      readonly manager?: string;
      readonly subresource?: string;
      readonly fieldsV1?: object;
    }[];
  };
}

/** Annotations that Kubernetes and kubectl write themselves. */
const bookkeeping = /^metadata\.annotations\.(deployment\.kubernetes\.io|kubectl\.kubernetes\.io|kubernetes\.io)\//;

/** The fields that others set and that `apply` leaves alone, without status and the autoscaler's. */
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

/** The paths to the fields, without the groups that contain them. */
function leaves(fields: object, path = ""): string[] {
  return Object.entries(fields).flatMap(([key, below]) => {
    // The group or item itself.
    if (key === ".") return [];
    const here = path + partOf(key, path);
    const inside = leaves(below as object, here);
    return inside.length > 0 ? inside : [here];
  });
}

/** `f:NAME` is a field, `k:{"name":"main"}` an item by its keys, `v:"a"` one of a set, `i:0` one by position. */
function partOf(key: string, path: string): string {
  const text = key.slice(2);
  if (key.startsWith("f:")) return path === "" ? text : `.${text}`;
  if (!key.startsWith("k:")) return `[${text}]`;
  return `[${Object.values(JSON.parse(text) as object).join("/")}]`;
}
