import { inflateSync } from "node:zlib";
import type { FileView } from "../layer/file-view.ts";
import { parseJson } from "../oci/json.ts";
import { elfSections } from "./elf-sections.ts";
import type { PackageRecord } from "./package-record.ts";

/** Bytes. Executables of Go and Rust are larger. */
const smallest = 16 * 1024;

const listLimit = 16 * 1024 * 1024;

/** Reads the build information of Go or Rust, and knows Node itself. Empty for other files. */
export function executablePackages(file: FileView): PackageRecord[] {
  if (file.size < smallest) return [];
  const section = elfSections(file);
  if (section === undefined) return [];
  const go = section(".go.buildinfo");
  if (go) return goModules(go);
  const rust = section(".dep-v0");
  if (rust) return rustCrates(rust);
  return /(?:^|\/)node(?:js)?$/.test(file.path) ? node(file) : [];
}

/** Go 1.18 and later (`debug/buildinfo`). A program without a version cannot be found by name, so it is left out. */
export function goModules(section: Buffer): PackageRecord[] {
  const inline = 2;
  if (!section.subarray(0, 14).equals(Buffer.from("\xff Go buildinf:", "latin1")) || !((section[15] ?? 0) & inline))
    return [];
  const version = goText(section, 32);
  const modules = version && goText(section, version.end);
  if (!version || !modules) return [];
  const records: PackageRecord[] = [];
  const add = (name: string | undefined, text: string | undefined) => {
    if (name && text && text !== "(devel)") records.push({ type: "golang", name, version: text });
  };
  add("stdlib", /^go(\d\S*)/.exec(version.text)?.[1]);
  for (const line of modules.text.slice(16, -16).split("\n")) {
    const [kind, name, text] = line.split("\t");
    if (kind === "=>") {
      const replaced = records.pop();
      if (text) add(name, text);
      else if (replaced) records.push(replaced);
    } else if (kind === "dep" || kind === "mod") add(name, text);
  }
  return records;
}

function goText(bytes: Buffer, start: number): { readonly text: string; readonly end: number } | undefined {
  let length = 0;
  let at = start;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[at++];
    if (byte === undefined || at - start > 6) return undefined;
    length += (byte & 127) * factor;
    if (byte < 128) break;
  }
  const end = at + length;
  return end <= bytes.length && length <= listLimit / 16 ? { text: bytes.toString("latin1", at, end), end } : undefined;
}

/** From `cargo auditable`. Local packages and those of the build alone are left out. */
export function rustCrates(section: Buffer): PackageRecord[] {
  let value: unknown;
  try {
    ({ value } = parseJson(inflateSync(section, { maxOutputLength: listLimit }), "list of crates"));
  } catch {
    return [];
  }
  const { packages } = (value ?? {}) as { packages?: unknown };
  return (Array.isArray(packages) ? packages : []).flatMap((each: unknown): PackageRecord[] => {
    const { name, version, source, kind } = (each ?? {}) as Record<string, unknown>;
    if (typeof name !== "string" || typeof version !== "string" || source === "local" || kind === "build") return [];
    return [{ type: "cargo", name, version }];
  });
}

function node(file: FileView): PackageRecord[] {
  const mark = Buffer.from("node.js/v");
  const size = 4 * 1024 * 1024;
  const overlap = 64;
  for (let at = 0; at < file.size; at += size - overlap) {
    const bytes = file.read(at, size);
    const found = bytes.indexOf(mark);
    const version =
      found >= 0 && /^\d+\.\d+\.\d+/.exec(bytes.toString("latin1", found + mark.length, found + overlap))?.[0];
    if (version) {
      return [{ type: "generic", name: "node", version, cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` }];
    }
  }
  return [];
}
