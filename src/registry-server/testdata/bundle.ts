import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll } from "vitest";

/** Bundles the server as the build does, for tests that start it as a process. Gone when the test file ends. */
export async function bundleOf(define: Record<string, string> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-bundle-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, "registry.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "..", "main.ts")],
    outfile,
    define,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node24",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return outfile;
}
