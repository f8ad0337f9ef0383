import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { npmFiles, reachable } from "./npm.ts";

const folder = mkdtempSync(join(tmpdir(), "npm-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a program of the package", () => {
  mkdirSync(join(folder, "types/sdk"), { recursive: true });
  writeFileSync(join(folder, "types/sdk/index.d.ts"), "");
  const manifest = { description: "d", license: "l", engines: { node: ">=24" } };
  const release = { url: undefined, integrity: "sha256-", strip_prefix: "slipway-1.2.3" };
  const files = npmFiles(JSON.stringify(manifest), join(folder, "types"), "1.2.3", release);
  const bundle =
    'process.emitWarning("old", "ExperimentalWarning");process.emitWarning("kept");console.log(process.argv.slice(2).join());';
  for (const [path, text] of new Map([
    ...files,
    ["slipway.bundle/main.mjs", bundle],
    ["credential_helpers.bundle/helpers-main.mjs", bundle],
  ])) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  it("runs, and has the warnings of experiments removed", () => {
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, "bin/slipway.cjs"), "a"], {
      encoding: "utf8",
    });
    expect(stdout).toBe("a\n");
    expect(stderr).toContain("kept");
    expect(stderr).not.toContain("old");
    expect(execFileSync(process.execPath, [join(folder, "bin/git-ssh-slipway.cjs"), "b"], { encoding: "utf8" })).toBe(
      "git-ssh-slipway,b\n",
    );
  });

  it("tells an old Node what it needs, before it does anything", () => {
    // The oldest that people still have cannot parse what came later.
    const old = "Object.defineProperty(process.versions, 'node', { value: '20.20.2' });";
    writeFileSync(join(folder, "old.cjs"), old);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--require", join(folder, "old.cjs"), join(folder, "bin/slipway.cjs")],
      { encoding: "utf8" },
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^slipway: this is Node 20\.20\.2.*24.*\n.*Node 24.*\n$/);
    const text = files.get("bin/slipway.cjs") ?? "";
    expect(text).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(text).not.toMatch(/=>|`|\b(const|let|import|await)\b|\?\./);
  });
});

describe("the declarations of a package", () => {
  const files: Readonly<Record<string, string>> = {
    "sdk/index.d.ts": 'export { a } from "./a.ts";\nexport type { Shared } from "../engine/shared.ts";\n',
    "sdk/a.d.ts": 'export declare const a: import("./deep.ts").Deep;\n',
    "sdk/deep.d.ts": 'import "node:fs";\nimport { a } from "./a.ts";\nexport type Deep = typeof a;\n',
    "engine/shared.d.ts": "export type Shared = 1;\n",
    "engine/hidden.d.ts": "export type Hidden = 1;\n",
  };
  const found = reachable("sdk/index.d.ts", (path) => files[path] ?? `no ${path}`);

  it("are those that its entry leads to, in circles too", () => {
    expect([...found.keys()].sort()).toEqual(["engine/shared.d.ts", "sdk/a.d.ts", "sdk/deep.d.ts", "sdk/index.d.ts"]);
  });

  it("import each other by names that every TypeScript takes, and leave other modules alone", () => {
    expect(found.get("sdk/index.d.ts")).toBe(
      'export { a } from "./a.js";\nexport type { Shared } from "../engine/shared.js";\n',
    );
    expect(found.get("sdk/deep.d.ts")).toContain('import "node:fs"');
    expect(found.get("sdk/a.d.ts")).toContain('import("./deep.js")');
  });
});
