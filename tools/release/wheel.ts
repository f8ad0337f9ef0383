import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { zipSync } from "fflate";

/** The first day that a zip can name, in whatever time zone this runs: the same bytes everywhere. */
const epoch = new Date(1980, 0, 1);

/** A plain file that all may read. */
const attributes = 0o100644 << 16;

const unix = 3;

/**
 * The Python package as a wheel (PyPA, binary distribution format 1.0): modules without code to compile, for every
 * platform.
 *
 * @param metadata its core metadata
 * @param license path of the license
 * @param modules paths of the files of the package `slipway`
 */
export function wheel(metadata: string, version: string, license: string, modules: readonly string[]): Uint8Array {
  const info = `bazel_slipway-${version}.dist-info`;
  const files = new Map<string, Uint8Array>(
    modules
      .map((path) => [`slipway/${basename(path)}`, readFileSync(path)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  files.set(`${info}/LICENSE`, readFileSync(license));
  files.set(`${info}/METADATA`, Buffer.from(metadata));
  files.set(
    `${info}/WHEEL`,
    Buffer.from("Wheel-Version: 1.0\nGenerator: slipway\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
  );
  const record = [...files].map(
    ([path, bytes]) => `${path},sha256=${createHash("sha256").update(bytes).digest("base64url")},${bytes.length}\n`,
  );
  files.set(`${info}/RECORD`, Buffer.from(`${record.join("")}${info}/RECORD,,\n`));
  return zipSync(Object.fromEntries(files), { mtime: epoch, attrs: attributes, os: unix, level: 9 });
}
