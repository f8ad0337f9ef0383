import { createHash } from "node:crypto";

export type Table = Readonly<Record<string, unknown>>;

const legacyKeys = ["dependencies", "source", "extras", "dev-dependencies"];
const projectKeys = ["requires-python", "dependencies", "optional-dependencies"];

/**
 * The `content-hash` in `poetry.lock`, of what decides what is locked, as Poetry's `Locker._get_content_hash`
 * computes it.
 */
export function poetryContentHash(pyproject: Table): string {
  const project = pick(table(pyproject["project"]), projectKeys);
  const groups = table(pyproject["dependency-groups"]);
  const own = table(table(pyproject["tool"])["poetry"]);
  const isNew = Object.keys(project).length > 0 || Object.keys(groups).length > 0;
  const poetry = isNew ? pick(own, [...legacyKeys, "group"]) : { ...nulls(own), ...pick(own, ["group"]) };
  const content = isNew
    ? {
        ...(Object.keys(project).length > 0 ? { project } : {}),
        ...(Object.keys(groups).length > 0 ? { "dependency-groups": groups } : {}),
        tool: { poetry },
      }
    : poetry;
  return createHash("sha256").update(pythonJson(content)).digest("hex");
}

/** A table of TOML; empty where there is none. */
export function table(value: unknown): Table {
  return typeof value === "object" && value !== null ? (value as Table) : {};
}

function pick(from: Table, keys: readonly string[]): Table {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));
}

/** Missing keys of old projects count as `null`. */
function nulls(from: Table): Table {
  return Object.fromEntries(legacyKeys.map((key) => [key, from[key] ?? null]));
}

/** JSON as Python's `json.dumps(value, sort_keys=True)` writes it. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
    return `{${entries.map(([key, item]) => `${pythonJson(key)}: ${pythonJson(item)}`).join(", ")}}`;
  }
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
