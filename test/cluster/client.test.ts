import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { bundleClient } from "./testdata/shell.ts";

it("is bundled with all that it loads", () => {
  const folder = temporaryFolder();
  const script = join(folder, "client.mjs");
  bundleClient(script);
  // The Public Suffix List is loaded only when a registry names a token service on another host.
  expect(readdirSync(folder).filter((name) => name.startsWith("public-suffix-"))).toHaveLength(1);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { env: {}, encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});
