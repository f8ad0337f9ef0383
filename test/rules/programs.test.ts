import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const folder = join(process.env["RUNFILES_DIR"] ?? "", "_main/test/rules");

it.each([
  ["alias", "generated.sh"],
  ["copy", "copied.sh"],
  ["file", "program.sh"],
  ["genrule", "generated.sh"],
  ["output", "generated.sh"],
])("starts a program that is named by %s", (how, file) => {
  const env = { PATH: process.env["PATH"], SLIPWAY_REGISTRY: "registry.invalid" };
  const said = execFileSync(join(folder, `by_${how}_binary`), ["a", "b c"], { env, encoding: "utf8" });
  expect(said).toMatch(new RegExp(`/test/rules/${file} a b c\n$`));
});

const ask = (expression: string) =>
  execFileSync("python3", ["-ISc", `import sys; print(${expression})`], { encoding: "utf8" }).trim();
const realPython = () => realpathSync(ask("sys._base_executable"));

it("starts a Python program without the packages of this machine, and without their hooks", () => {
  const real = realPython();
  const version = ask("'%d.%d' % sys.version_info[:2]");
  // A machine's Python with a package, whose hook runs in every program.
  const machine = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "machine-"));
  const packages = join(machine, "lib", `python${version}`, "site-packages");
  for (const folder of [packages, join(machine, "bin")]) mkdirSync(folder, { recursive: true });
  symlinkSync(real, join(machine, "bin/python3"));
  writeFileSync(join(machine, "pyvenv.cfg"), `home = ${dirname(real)}\ninclude-system-site-packages = false\n`);
  writeFileSync(join(packages, "theirs.py"), "");
  writeFileSync(join(packages, "hook.pth"), "import os; os.environ['HOOKED'] = '1'\n");
  const cache = join(machine, "tmp");
  const env = {
    ...{ HOME: machine, TEST_TMPDIR: cache, PYTHONPATH: packages },
    PATH: `${join(machine, "bin")}:${process.env["PATH"]}`,
  };
  const run = (changed = {}) =>
    execFileSync(join(folder, "isolated"), { env: { ...env, ...changed }, encoding: "utf8" }).trim();
  const module = join(folder, "isolated.py");
  expect(execFileSync("python3", [module], { env, encoding: "utf8" })).toBe(`True True True ${real}\n`);
  for (let round = 0; round < 2; round += 1) expect(run()).toBe(`False False True ${real}`);
  // Where there can be no folder, or where it is another user's, there is no environment either.
  expect(run({ TEST_TMPDIR: "/dev/null" })).toBe(`False False False ${real}`);
  // The folder of the real Python looks like one of ours, and belongs to root.
  const planted = dirname(dirname(ask("sys._base_executable")));
  const own = join(cache, "python", machine, "bin/python3");
  rmSync(own, { recursive: true });
  symlinkSync(planted, own);
  const isOwn = statSync(planted).uid === process.getuid?.();
  expect(run()).toBe(`False False ${isOwn ? "True" : "False"} ${real}`);
});

it("follows a version manager to another Python", () => {
  const machine = realpathSync(mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "versions-")));
  const real = realPython();
  const versions = ["one", "two"].map((name) => join(machine, name, "python3"));
  const shim = join(machine, "python3");
  const env = { PATH: `${machine}:${process.env["PATH"]}`, TEST_TMPDIR: join(machine, "tmp") };
  for (const version of versions) {
    mkdirSync(dirname(version));
    copyFileSync(real, version);
    writeFileSync(shim, `#!/bin/sh\nexec ${version} "$@"\n`, { mode: 0o755 });
    expect(execFileSync(join(folder, "isolated"), { env, encoding: "utf8" })).toBe(`False False True ${version}\n`);
  }
});
