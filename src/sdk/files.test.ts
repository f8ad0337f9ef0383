import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { helperOfTest } from "../functions/testdata/helper.ts";
import { describeFiles, filesProgram, folderOfTest } from "./testdata/files.ts";

describeFiles("a process of this machine", () => ({}));

it("removes what killed programs left", async () => {
  const cache = folderOfTest();
  const files = join(cache, "slipway/files");
  const old = new Date(Date.now() - 2 * 60 * 60_000);
  for (const [name, time] of [
    ["999999999-killed", old],
    ["999999998-fresh", new Date()],
    [`${process.pid}-running`, old],
  ] as const) {
    mkdirSync(join(files, name), { recursive: true });
    utimesSync(join(files, name), time, time);
  }
  const env = { PATH: process.env["PATH"] ?? "", HOME: cache, XDG_CACHE_HOME: cache };
  spawnSync(process.execPath, [filesProgram, "none"], { env: { ...env, SLIPWAY_ENGINE_HELPER: helperOfTest() } });
  await expect.poll(() => readdirSync(files).sort()).toEqual(["999999998-fresh", `${process.pid}-running`].sort());
});
