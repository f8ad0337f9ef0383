/** Bytes that file systems and kubelets take. */
const maximumName = 255;
const maximumPath = 1024;

/** Follows the path in a sentence. Any file system can hold a good path, and it stays in its model's folder. */
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

/** Some file systems take paths that differ in case, or in how Unicode composes the same characters, for one. */
export class PathSet {
  readonly #files = new Map<string, string>();
  readonly #folders = new Map<string, string>();

  /** Takes a path without a problem of its own. Returns what is wrong with it beside the others. */
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

/** By bytes, so that the order is the same everywhere. */
export function comparePaths(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
