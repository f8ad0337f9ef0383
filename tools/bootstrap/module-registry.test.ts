import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const script = resolve(import.meta.dirname, "module_registry.sh");
const run = (...args: string[]) => promisify(execFile)("bash", [script, ...args]);

/** An installation with a registry, as far as the script looks at it. */
async function installation(): Promise<{ home: string; entry: (name: string, file: string) => string }> {
  const home = join(mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "registry-")), "debian-x");
  const tools = join(home, "root/usr/share/bazel/embedded_tools");
  mkdirSync(tools, { recursive: true });
  writeFileSync(
    join(tools, "MODULE.bazel"),
    'module(name = "bazel_tools")\nbazel_dep(name = "rules_cc", version = "0.0.11")\nbazel_dep(name = "zlib", version = "1.3.1.bcr.3")\n',
  );
  await run(home);
  writeFileSync(join(home, "complete"), "");
  return { home, entry: (name, file) => readFileSync(join(home, "registry/modules", name, file), "utf8") };
}

describe("module registry", () => {
  test("has what Bazel's own tools name; a stub says that it is one", async () => {
    const { home, entry } = await installation();
    expect(entry("zlib/1.3.1.bcr.3", "MODULE.bazel")).toMatch(
      /^# A stub: .*\nmodule\(name = "zlib", version = "1.3.1.bcr.3"\)\n$/,
    );
    expect(entry("rules_cc/0.0.11", "MODULE.bazel")).toContain('bazel_dep(name = "bazel_skylib", version = "0")');
    expect(JSON.parse(entry("rules_cc/0.0.11", "source.json"))).toEqual({
      type: "local_path",
      path: join(home, "root/usr/share/bazel/rules/cc"),
    });
    expect(existsSync(join(home, "registry/modules/bazel_skylib/0/source.json"))).toBe(true);
  });

  test("offers the versions that a MODULE.bazel names, of the modules that Debian ships", async () => {
    const { home, entry } = await installation();
    const module = join(home, "../MODULE.bazel");
    writeFileSync(
      module,
      `bazel_dep(name = "platforms", version = "1.0.0")  # ) version = "9"
bazel_dep(
    version = "1.8.2",
    name = "bazel_skylib",
    repo_name = "skylib",
)
# bazel_dep(name = "rules_shell", version = "0.6.1")
bazel_dep(name = "rules_license")
bazel_dep(name = "rules_js", version = "2.0.0", dev_dependency = True)
`,
    );
    await run(home, module);
    expect(entry("platforms/1.0.0", "MODULE.bazel")).toContain('module(name = "platforms", version = "1.0.0")');
    expect(entry("bazel_skylib/1.8.2", "MODULE.bazel")).toContain('module(name = "bazel_skylib", version = "1.8.2")');
    for (const name of ["rules_shell/0.6.1", "rules_js", "platforms/9"]) {
      expect(existsSync(join(home, "registry/modules", name))).toBe(false);
    }
    expect(existsSync(join(home, "seen", module))).toBe(true);
  });

  test("is completed by several at once", async () => {
    const { home, entry } = await installation();
    const modules = Array.from({ length: 6 }, (_, index) => {
      const module = join(home, `../${index}.bazel`);
      writeFileSync(
        module,
        `bazel_dep(name = "platforms", version = "2.0.0")\nbazel_dep(name = "rules_cc", version = "1.${index}")\n`,
      );
      return module;
    });
    await Promise.all(modules.map((module) => run(home, module)));
    expect(entry("platforms/2.0.0", "source.json")).toContain("local_path");
    for (const index of modules.keys()) expect(entry(`rules_cc/1.${index}`, "source.json")).toContain("rules/cc");
  });
});
