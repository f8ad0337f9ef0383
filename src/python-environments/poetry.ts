import { createHash } from "node:crypto";
import { parse, TomlError } from "smol-toml";
import { UserError } from "../core/errors.ts";
import { isOneLine } from "./requirement-lines.ts";

const mainGroup = "main";

/** As pip's requirements, with hashes and conditions. Without extras, development and the project, the job's code. */
export function poetryRequirements(pyproject: string, lock: string, folder: string): string[] {
  const [projectName, lockName] = [join(folder, "pyproject.toml"), join(folder, "poetry.lock")];
  const [project, locked] = [parsed(pyproject, projectName), parsed(lock, lockName)];
  const outdated = (problem: string, remedy: string) =>
    new UserError({ code: "lock-outdated", culprit: lockName }, problem, remedy);
  const { "lock-version": version, "content-hash": hash } = table(locked["metadata"]);
  if (typeof version !== "string" || !/^2\.([1-9]|\d\d)/.test(version)) {
    throw outdated(
      `${lockName} was written by a Poetry before 2.0${typeof version === "string" ? ` (lock-version ${version})` : ""}, which does not record the groups of packages.`,
      "Run `poetry lock` with Poetry 2.",
    );
  }
  if (hash !== poetryContentHash(project)) {
    throw outdated(`${projectName} has changed since ${lockName} was written.`, "Run `poetry lock`.");
  }
  return list(locked["package"]).flatMap((each) => requirementOf(each, lockName));
}

function requirementOf(entry: Table, lockName: string): string[] {
  const { name, version, optional, groups, markers, files, source } = entry;
  if (typeof name !== "string" || typeof version !== "string") {
    throw damaged(lockName, "a package has no name or version");
  }
  if (optional === true || !list<unknown>(groups).includes(mainGroup)) return [];
  const kind = table(source)["type"];
  if (kind !== undefined && kind !== "legacy") {
    throw new UserError(
      { code: "requirement-unpinned", culprit: name },
      `${lockName}: ${name} comes from a ${kind}, for which the lock has no hash.`,
      "Take it from a package index, or add its folder to the job's `code`.",
    );
  }
  const hashes = list(files).flatMap(({ hash }) => (typeof hash === "string" ? [hash] : []));
  if (hashes.length === 0) throw damaged(lockName, `it lists no file of ${name} ${version}`);
  const condition = typeof markers === "string" ? markers : table(markers)[mainGroup];
  const marker = typeof condition === "string" ? ` ; ${condition}` : "";
  // Nothing may become another line or an option of pip.
  const isPlain =
    /^\w[\w.-]*$/.test(name) &&
    /^[\w.!+-]+$/.test(version) &&
    hashes.every((each) => /^\w+:[0-9a-f]+$/.test(each)) &&
    isOneLine(marker) &&
    !/(^|\s)[-#]|\$\{/.test(marker);
  if (!isPlain) throw damaged(lockName, `${JSON.stringify(name)} has an invalid name, version, hash or condition`);
  return [`${name}==${version}${marker}${hashes.map((each) => ` --hash=${each}`).join("")}`];
}

function damaged(lockName: string, problem: string): UserError {
  return new UserError({ code: "file-invalid", culprit: lockName }, `${lockName}: ${problem}.`, "Run `poetry lock`.");
}

function parsed(text: string, name: string): Table {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [problem] = cause.message.replace(/^Invalid TOML document: /, "").split("\n");
    const culprit = `${name}:${cause.line}:${cause.column}`;
    throw new UserError({ code: "file-invalid", culprit }, `${culprit}: this is not TOML: ${problem}.`, "Correct it.", {
      cause,
    });
  }
}

function list<Item = Table>(value: unknown): readonly Item[] {
  return Array.isArray(value) ? value : [];
}

function join(folder: string, name: string): string {
  return folder === "." ? name : `${folder}/${name}`;
}

export type Table = Readonly<Record<string, unknown>>;

const legacyKeys = ["dependencies", "source", "extras", "dev-dependencies"];

const projectKeys = ["requires-python", "dependencies", "optional-dependencies"];

/** The `content-hash` in `poetry.lock`, as Poetry's `Locker._get_content_hash` computes it. */
export function poetryContentHash(pyproject: Table): string {
  const project = pick(table(pyproject["project"]), projectKeys);
  const groups = table(pyproject["dependency-groups"]);
  const own = table(table(pyproject["tool"])["poetry"]);
  const isNew = Object.keys(project).length > 0 || Object.keys(groups).length > 0;
  // Missing keys of old projects count as `null`.
  const nulls = Object.fromEntries(legacyKeys.map((key) => [key, own[key] ?? null]));
  const poetry = isNew ? pick(own, [...legacyKeys, "group"]) : { ...nulls, ...pick(own, ["group"]) };
  const content = isNew
    ? {
        ...(Object.keys(project).length > 0 ? { project } : {}),
        ...(Object.keys(groups).length > 0 ? { "dependency-groups": groups } : {}),
        tool: { poetry },
      }
    : poetry;
  return createHash("sha256").update(pythonJson(content)).digest("hex");
}

export function table(value: unknown): Table {
  return typeof value === "object" && value !== null ? (value as Table) : {};
}

function pick(from: Table, keys: readonly string[]): Table {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));
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
