import { UserError } from "../core/errors.ts";
import type { Content, EmbeddedContent, TarEntry } from "./entry.ts";

/** By the bytes of paths, once each, with missing parent folders (0755, owner 0:0). @throws UserError on conflicts */
export function planEntries(entries: Iterable<TarEntry>): TarEntry[] {
  const byPath = new Map<string, TarEntry>();
  for (const entry of entries) {
    checkPath(entry);
    const other = byPath.get(entry.path);
    if (other === undefined) byPath.set(entry.path, entry);
    else if (!same(other, entry)) {
      throw conflict(
        entry,
        `/${entry.path} would come from two places: ${describe(other)} and ${describe(entry)}.`,
        "Give one of them another path in the image, or leave it out.",
      );
    }
  }
  const parents = new Map<string, TarEntry>();
  for (const entry of byPath.values()) addParents(entry, byPath, parents);

  // Strings compare by UTF-16 units. As Latin-1, every unit is one byte of UTF-8.
  const keyed = [...byPath.values(), ...parents.values()].map((entry) => ({ entry, key: byteText(entry.path) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return orderHardLinks(keyed.map(({ entry }) => entry));
}

export function describe(entry: TarEntry): string {
  if (entry.origin !== undefined) return entry.origin;
  switch (entry.type) {
    case "file":
      if ("file" in entry.content) return `the file ${entry.content.file}`;
      return `a file of ${"bytes" in entry.content ? entry.content.bytes.length : entry.content.size} bytes`;
    case "directory":
      return `a directory (mode ${(entry.mode ?? 0o755).toString(8)}, owner ${entry.uid ?? 0}:${entry.gid ?? 0})`;
    case "symlink":
      return `a symbolic link to ${entry.target}`;
    case "hardlink":
      return `a hard link to ${entry.target}`;
  }
}

function conflict({ path }: TarEntry, problem: string, remedy: string): UserError {
  return new UserError({ code: "layer-conflict", culprit: `/${path}` }, problem, remedy);
}

function checkPath(entry: TarEntry): void {
  const bad = (text: string) => text === "" || text.includes("\0") || !text.isWellFormed();
  const components = entry.path.split("/");
  if (bad(entry.path) || components.some((part) => part === "" || part === "." || part === "..")) {
    throw conflict(
      entry,
      `${JSON.stringify(entry.path)} is not a path in an image (from ${describe(entry)}).`,
      "Write it relative to the root of the image, in Unicode, without empty, . and .. components.",
    );
  }
  if ((entry.type === "symlink" || entry.type === "hardlink") && bad(entry.target)) {
    throw conflict(
      entry,
      `The link /${entry.path} has the invalid target ${JSON.stringify(entry.target)}.`,
      "Link to a path that is not empty, in Unicode.",
    );
  }
}

function addParents(entry: TarEntry, byPath: ReadonlyMap<string, TarEntry>, parents: Map<string, TarEntry>): void {
  for (let end = entry.path.lastIndexOf("/"); end > 0; end = entry.path.lastIndexOf("/", end - 1)) {
    const path = entry.path.slice(0, end);
    if (parents.has(path)) return;
    const known = byPath.get(path);
    if (known === undefined) parents.set(path, { type: "directory", path });
    else if (known.type !== "directory") {
      throw conflict(
        known,
        `/${path} is ${describe(known)}, but /${entry.path} (${describe(entry)}) lies below it.`,
        "Give one of them another path in the image.",
      );
    }
  }
}

/** A hard link must follow its target, so the first of several names gets the content. */
function orderHardLinks(entries: TarEntry[]): TarEntry[] {
  if (!entries.some((entry) => entry.type === "hardlink")) return entries;
  const files = new Map(entries.flatMap((entry) => (entry.type === "file" ? [[entry.path, entry]] : [])));
  const first = new Map<string, string>();
  return entries.map((entry) => {
    if (entry.type !== "file" && entry.type !== "hardlink") return entry;
    const file = files.get(entry.type === "file" ? entry.path : entry.target);
    if (file === undefined) {
      throw conflict(
        entry,
        `/${entry.path} is ${describe(entry)}, which is not a file of this layer.`,
        "Add that file to the layer, or make the link a symbolic one.",
      );
    }
    const target = first.get(file.path);
    if (target !== undefined) return { type: "hardlink", path: entry.path, target };
    first.set(file.path, entry.path);
    return { ...file, path: entry.path };
  });
}

function same(a: TarEntry, b: TarEntry): boolean {
  if ((a.mode ?? 0o755) !== (b.mode ?? 0o755) || (a.uid ?? 0) !== (b.uid ?? 0) || (a.gid ?? 0) !== (b.gid ?? 0))
    return false;
  if (a.type === "file") return b.type === "file" && sameContent(a.content, b.content);
  if (a.type === "directory") return b.type === "directory";
  return a.type === b.type && a.target === b.target;
}

function sameContent(a: Content | EmbeddedContent, b: Content | EmbeddedContent): boolean {
  if ("read" in a) return a === b;
  if ("file" in a) return "file" in b && a.file === b.file;
  return "bytes" in b && Buffer.compare(a.bytes, b.bytes) === 0;
}

function byteText(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is what is meant
  return /^[\x00-\x7f]*$/.test(path) ? path : Buffer.from(path).toString("latin1");
}
