import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { overview } from "./overview.ts";

it("is what yargs writes", () => {
  const main = join(import.meta.dirname, "main.ts");
  const help = (...args: string[]) =>
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], { encoding: "utf8" });
  // Two words go by yargs.
  expect(help("--help", "--no-color")).toBe(overview());
  expect(help("--help")).toBe(overview());
});
