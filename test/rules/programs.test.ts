import { execFileSync } from "node:child_process";
import { join } from "node:path";
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
