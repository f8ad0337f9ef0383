import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest } from "../git/testdata/git-repository.ts";

const program = join(import.meta.dirname, "helper-main.ts");

it("looks up instance types, and names the nearest in place of one that it does not find", () => {
  const home = folderOfTest();
  writeFileSync(join(home, "config.yaml"), "instanceTypes: {big: {cpu: 64, memory: 1GiB, nodeSelector: {pool: a}}}\n");
  const env = { HOME: home, SLIPWAY_CONFIG: join(home, "config.yaml"), PATH: process.env["PATH"] };
  const ask = (type: string) => {
    const words = ["resources", JSON.stringify({ cpu: 2, instance_type: type }), '"score"', "resources.instanceType"];
    const node = ["--disable-warning=ExperimentalWarning", program, ...words];
    const { stdout, stderr, status } = spawnSync(process.execPath, node, { env, encoding: "utf8" });
    return { answer: JSON.parse(stdout), stderr, status };
  };
  const found = { cpu: 2, memory: 2 ** 30, gpu: 0, nodeSelector: { pool: "a" }, tolerations: [] };
  expect(ask("big")).toEqual({ answer: found, stderr: "", status: 0 });
  expect(ask("bgi")).toMatchObject({
    answer: {
      error: {
        code: "value-invalid",
        culprit: "resources.instanceType",
        name: "UserError",
        message: expect.stringContaining("(did you mean big?).\nKnown: big, C1, "),
      },
    },
    status: 2,
  });
});
