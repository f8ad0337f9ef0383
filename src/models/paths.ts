/** Bytes of a name, and of a path, that file systems and kubelets take. */
const maximumName = 255;
const maximumPath = 1024;

/**
 * What is wrong with the path of a file of a model: what follows the path in a sentence. Paths are relative, with `/` between names that every
 * file system can hold, so that a model that somebody else made never leads out of its folder.
 */
export function pathProblem(path: string): string | undefined {
  if (path === "") return "is empty";
  if (!path.isWellFormed()) return "has half a character in it";
  if (/\p{Cc}/u.test(path)) return "has a control character in it";
  if (path.includes("\\")) return "has a backslash in it, which some systems take for a separator";
  if (path.startsWith("/")) return "is absolute";
  if (Buffer.byteLength(path) > maximumPath) return `has more than ${maximumPath} bytes`;
  for (const name of path.split("/")) {
    if (name === "") return "has an empty name in it";
    if (name === "." || name === "..") return `has ${name} in it`;
    if (Buffer.byteLength(name) > maximumName) return `has a name of more than ${maximumName} bytes in it`;
  }
  return undefined;
}

/**
 * Paths that can all be in one folder, whatever its file system: two that differ in case, or in how Unicode composes the same characters, are
 * one file to some.
 */
export class PathSet {
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();

  /** Adds a path that has no problem of its own. Returns what is wrong with it beside the others. */
  add(path: string): string | undefined {
    const names = path.split("/");
    for (let count = 1; count < names.length; count++) {
      const folder = names.slice(0, count).join("/");
      const key = keyOf(folder);
      if (this.#files.has(key)) return `is below ${JSON.stringify(this.#files.get(key))}, which is a file`;
      const known = this.#folders.get(key) ?? folder;
      if (known !== folder) return `is below a folder that ${JSON.stringify(known)} differs from only in case or form`;
      this.#folders.set(key, folder);
    }
    const key = keyOf(path);
    const known = this.#files.get(key);
    if (known === path) return "is there twice";
    if (known !== undefined) return `differs from ${JSON.stringify(known)} only in case or form`;
    if (this.#folders.has(key)) return "is a file and a folder";
    this.#files.set(key, path);
    return undefined;
  }
}

function keyOf(path: string): string {
  return path.normalize("NFC").toLowerCase().normalize("NFC");
}

/** The order in which files of a model are listed: by the bytes of their paths, so that it is the same everywhere. */
export function comparePaths(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
