import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { printed } from "../core/testdata/reported.ts";
import { serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { run } from "./testdata/slipway.ts";

async function machineOfTest() {
  const { env, paths } = await stateOfTest();
  await serverOfTest({ paths });
  const cwd = env["HOME"] ?? "";
  const folder = join(cwd, "iris");
  mkdirSync(folder);
  const slipway = (...args: string[]) => run(["model", ...args], { env, cwd });
  return { slipway, write: (content: string) => writeFileSync(join(folder, "weights"), content) };
}

it("pushes, lists and removes models", async () => {
  const { slipway, write } = await machineOfTest();
  expect(await slipway("ls")).toMatchObject({
    out: "",
    error: expect.stringMatching(/^Registry localhost:\d+ has no models\.\n$/),
    status: 0,
  });
  write("one");
  const first = await slipway("push", "team/iris", "iris");
  expect(first).toMatchObject({ out: expect.stringMatching(/^team\/iris@sha256:[0-9a-f]{64}\n$/), status: 0 });
  expect(first.error).toMatch(/^pushed localhost:\d+\/models\/team\/iris:v1-[0-9a-f]+,latest: 2 blobs sent \(5 B\)\n$/);
  expect(await slipway("push", "team/iris", "iris")).toEqual({
    out: first.out,
    error: "the registry has this version as the newest already\n",
    status: 0,
  });
  write("two!");
  const second = await slipway("push", "team/iris", "iris", "--json");
  const lines = second.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ event: "model", id: "team/iris", outcome: "pushed", files: 1, size: 4 });
  const newest = `team/iris@${lines.at(-1).digest}`;
  expect((await slipway("ls", "team/iris")).out).toBe(`${first.out.trim()}  3 B\n${newest}  4 B  latest\n`);
  expect((await slipway("ls")).out).toBe(`${newest}  4 B\n`);
  expect(JSON.parse((await slipway("ls", "--json")).out)).toMatchObject([{ number: 2, size: 4, latest: true }]);
  expect((await slipway("rm", newest)).out).toBe(`${newest}\n`);
  expect((await slipway("ls")).out).toBe(`${first.out.trim()}  3 B\n`);
  expect((await slipway("rm", "team/iris")).out).toBe(first.out);
  expect(await slipway("ls", "team/iris")).toMatchObject({ out: "", status: 2 });
});

it.each<[string[], ErrorCode, string]>([
  [["push", "Iris", "iris"], "reference-invalid", "Iris"],
  [["push", "iris@latest", "iris"], "reference-invalid", "iris@latest"],
  [["push", `iris@sha256:${"0".repeat(64)}`, "iris"], "command-line-invalid", "iris@sha256:"],
  [["push", "iris", "nothing"], "file-unreadable", "nothing"],
  [["rm", "iris"], "model-not-found", "iris"],
  [["ls", "iris"], "model-not-found", "iris"],
  [["push", "x".repeat(250), "iris"], "reference-invalid", "x".repeat(250)],
])("refuses %j", async (args, code, culprit) => {
  const { slipway } = await machineOfTest();
  expect(await slipway(...args)).toMatchObject({ error: printed(code, culprit), status: 2 });
});
