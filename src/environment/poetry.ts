import { parse, TomlError } from "smol-toml";
import { UserError } from "../core/errors.ts";
import { poetryContentHash } from "./poetry-hash.ts";
import { isOneLine } from "./requirement-lines.ts";

type Table = Readonly<Record<string, unknown>>;

/** The group of a project's own dependencies. */
const mainGroup = "main";

/**
 * What a Poetry project needs to run, as lines of a requirements file for pip: exact versions with hashes, each with the condition under which it
 * is wanted. Groups for development and extras are left out, and so is the project itself, which is the job's code.
 *
 * @param folder what errors call the folder of the two files
 * @throws UserError when the lock is not of this project, too old to say what belongs to which group, or has what is not exact
 */
export function poetryRequirements(pyproject: string, lock: string, folder: string): string[] {
  const [projectName, lockName] = [join(folder, "pyproject.toml"), join(folder, "poetry.lock")];
  const [project, locked] = [parsed(pyproject, projectName), parsed(lock, lockName)];
  const { "lock-version": version, "content-hash": hash } = table(locked["metadata"]);
  if (typeof version !== "string" || !/^2\.([1-9]|\d\d)/.test(version)) {
    throw new UserError(
      `${lockName} was written by a Poetry before 2.0${typeof version === "string" ? ` (lock-version ${version})` : ""}, and says not what belongs to which group.`,
      "Write it anew with `poetry lock` of Poetry 2.",
    );
  }
  if (hash !== poetryContentHash(project)) {
    throw new UserError(`${lockName} is not of ${projectName} as it is now.`, "Run `poetry lock`.");
  }
  return list(locked["package"]).flatMap((each) => requirementOf(each, lockName));
}

function requirementOf(entry: Table, lockName: string): string[] {
  const { name, version, optional, groups, markers, files, source } = entry;
  if (typeof name !== "string" || typeof version !== "string") {
    throw new UserError(`${lockName} has a package without name or version.`, "Write it anew with `poetry lock`.");
  }
  if (optional === true || !list<unknown>(groups).includes(mainGroup)) return [];
  const kind = table(source)["type"];
  if (kind !== undefined && kind !== "legacy") {
    throw new UserError(
      `${lockName}: ${name} comes from a ${kind}, of which the lock has no hash.`,
      "Take it from a package index, or have its folder among the job's `code`.",
    );
  }
  const hashes = list(files).flatMap(({ hash }) => (typeof hash === "string" ? [hash] : []));
  if (hashes.length === 0) {
    throw new UserError(`${lockName} has no file of ${name} ${version}.`, "Write it anew with `poetry lock`.");
  }
  const condition = typeof markers === "string" ? markers : table(markers)[mainGroup];
  const marker = typeof condition === "string" ? ` ; ${condition}` : "";
  // Each becomes a part of a line, which must not become another line or an option of pip.
  const isPlain =
    /^[\w.-]+$/.test(name) &&
    /^[\w.!+-]+$/.test(version) &&
    hashes.every((each) => /^\w+:[0-9a-f]+$/.test(each)) &&
    isOneLine(marker) &&
    !/(^|\s)[-#]/.test(marker);
  if (!isPlain) {
    throw new UserError(
      `${lockName}: ${JSON.stringify(name)} has a name, version, hash or condition that is none.`,
      "Write it anew with `poetry lock`.",
    );
  }
  return [`${name}==${version}${marker}${hashes.map((each) => ` --hash=${each}`).join("")}`];
}

function parsed(text: string, name: string): Table {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [problem] = cause.message.replace(/^Invalid TOML document: /, "").split("\n");
    throw new UserError(`${name}:${cause.line}:${cause.column}: this is not TOML: ${problem}.`, "Correct it.", {
      cause,
    });
  }
}

function table(value: unknown): Table {
  return typeof value === "object" && value !== null ? (value as Table) : {};
}

function list<Item = Table>(value: unknown): readonly Item[] {
  return Array.isArray(value) ? value : [];
}

function join(folder: string, name: string): string {
  return folder === "." ? name : `${folder}/${name}`;
}
