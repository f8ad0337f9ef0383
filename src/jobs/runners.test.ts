import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inputVariable, nonceVariable, resultFileVariable } from "../core/protocol.ts";
import { functionRunner } from "./runners.ts";

const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path)) ?? "";
const folder = mkdtempSync(join(tmpdir(), "runners-"));
writeFileSync(join(folder, "repeat.mjs"), 'export default (size) => "x".repeat(size);\n');
writeFileSync(join(folder, "repeat.py"), 'def main(size): return "x" * size\n');

/** JSON without the spaces that Python writes. */
const compact = (text: string) => text.replaceAll('": ', '":');

describe.each([
  ["node", process.execPath, "repeat.mjs"],
  ["python", python, "repeat:main"],
] as const)("the runner of %s", (language, program, name) => {
  it.skipIf(program === "")("leaves a short result in a file, and prints a long one and its size there", () => {
    const [input, file] = [join(folder, "input"), join(folder, "result")];
    const run = (size: number) => {
      writeFileSync(input, `[${size}]`);
      const variables = { [nonceVariable]: "n", [inputVariable]: input, [resultFileVariable]: file };
      const env = { PATH: process.env["PATH"], ...variables };
      const { stdout } = spawnSync(program, functionRunner(language, name, [folder]), { env, encoding: "utf8" });
      return { stdout: compact(stdout), file: compact(readFileSync(file, "utf8")), size: stdout.length };
    };
    const short = run(3);
    expect(short.stdout).toBe("");
    expect(short.file).toBe('\x1eslipway n {"result":"xxx"}\n');
    const long = run(5000);
    expect(long.stdout).toBe(`\x1eslipway n {"result":"${"x".repeat(5000)}"}\n`);
    expect(long.file).toBe(`\x1eslipway n {"logged":${long.size}}\n`);
  });
});
