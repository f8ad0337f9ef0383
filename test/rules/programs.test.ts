import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
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

it("starts a Python program without the packages of this machine, and without their hooks", () => {
  const ask = (script: string) => execFileSync("python3", ["-ISc", script], { encoding: "utf8" }).trim();
  const real = ask("import sys; print(sys._base_executable)");
  const version = ask("import sys; print('%d.%d' % sys.version_info[:2])");
  // A machine's Python with a package, whose hook runs in every program.
  const machine = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "machine-"));
  const packages = join(machine, "lib", `python${version}`, "site-packages");
  for (const folder of [packages, join(machine, "bin")]) mkdirSync(folder, { recursive: true });
  symlinkSync(real, join(machine, "bin/python3"));
  writeFileSync(join(machine, "pyvenv.cfg"), `home = ${dirname(real)}\ninclude-system-site-packages = false\n`);
  writeFileSync(join(packages, "theirs.py"), "");
  writeFileSync(join(packages, "hook.pth"), "import os; os.environ['HOOKED'] = '1'\n");
  const env = {
    ...{ HOME: machine, TEST_TMPDIR: join(machine, "tmp"), PYTHONPATH: packages },
    PATH: `${join(machine, "bin")}:${process.env["PATH"]}`,
  };
  const module = join(folder, "isolated.py");
  expect(execFileSync("python3", [module], { env, encoding: "utf8" })).toBe("True True True\n");
  for (let round = 0; round < 2; round += 1) {
    expect(execFileSync(join(folder, "isolated"), { env, encoding: "utf8" })).toBe("False False True\n");
  }
});
