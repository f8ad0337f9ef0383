import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";

it("reads the configuration file where it runs unbuilt, as the repository rule runs it", () => {
  const folder = temporaryFolder();
  const config = join(folder, "config.yaml");
  writeFileSync(config, "registries: [\n");
  const request = JSON.stringify({ image: `localhost:1/a@sha256:${"0".repeat(64)}`, platforms: ["linux/amd64"] });
  const env = { PATH: process.env["PATH"], HOME: folder, SLIPWAY_CONFIG: config };
  const flags = ["--disable-warning=ExperimentalWarning", "--preserve-symlinks", "--preserve-symlinks-main"];
  const words = [...flags, join(process.cwd(), "src/build/pull/main.ts"), request];
  const { stderr, status } = spawnSync(process.execPath, words, { cwd: folder, env, encoding: "utf8" });
  expect(stderr).toMatch(/config\.yaml:2:1[\s\S]*\[\w+-invalid\]\n$/);
  expect(status).toBe(2);
});
