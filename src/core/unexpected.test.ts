import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

it.each([
  ["thrown later", 'setTimeout(() => { throw new TypeError("odd"); })', /^slipway: TypeError: odd\n {4}at /, 1],
  ["rejected", 'Promise.reject(new TypeError("odd"))', /^slipway: TypeError: odd\n {4}at /, 1],
  [
    "reported",
    'setTimeout(() => { throw new UserError({ code: "file-invalid", culprit: "it" }, "Wrong.", "Correct it."); })',
    /^slipway: Wrong\.\nCorrect it\. \[file-invalid\]\n$/,
    2,
  ],
])("an error that is %s is told without the source around it", (_, code, said, status) => {
  const module = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  const program = `import { UserError } from ${module("errors.ts")};
    import { reportUncaught } from ${module("unexpected.ts")};
    reportUncaught(); void UserError;
    ${code};`;
  const ended = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  expect(ended).toMatchObject({ stdout: "", status });
  expect(ended.stderr).toMatch(said);
  expect(ended.stderr).not.toMatch(/Node\.js v|\^\n/);
});
