import { expect, it, onTestFinished } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import { openRegistry } from "../registry/client/open.ts";
import { serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { resultKey } from "../results/key.ts";
import { ResultWriter } from "../results/writer.ts";
import { run } from "./testdata/slipway.ts";

const scope = { function: "square", version: "1" };

async function machineOfTest() {
  const { env, paths } = await stateOfTest();
  const { host } = await serverOfTest({ paths });
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  const keep = async (name: string, days: number) => {
    const stored = () => new Date(Date.now() - days * 86_400_000);
    const place = { client, repository: "team/app", onNotice: () => {} };
    const writer = new ResultWriter(place, { ...scope, function: name }, stored);
    for (const item of [1, 2]) writer.add({ key: resultKey(scope, `[${item}]`), result: String(item * item) });
    await writer.end();
  };
  const repository = `${host}/team/app`;
  const slipway = (command: string, ...args: string[]) =>
    run(["results", command, repository, ...args], { env, cwd: env["HOME"] ?? "" });
  return { slipway, keep, repository };
}

it("lists, shows, removes and prunes kept results", { timeout: 120_000 }, async () => {
  const { slipway, keep, repository } = await machineOfTest();
  expect(await slipway("ls")).toEqual({ out: "", error: `slipway: ${repository} has no kept results.\n`, status: 0 });
  await keep("old", 40);
  await keep("square", 1);
  await keep("cube", 0);
  const runs = JSON.parse((await slipway("ls", "--json")).out);
  expect(runs).toMatchObject([
    { function: "old", items: 2, version: "1" },
    { function: "square" },
    { function: "cube" },
  ]);
  expect((await slipway("ls")).out).toMatch(/^results-\S+ +old +2 results +\d+ B +\d{4}-.*\n/);
  const shown = await slipway("show", runs[1].run);
  expect(shown.out.split("\n").toSorted().slice(1)).toEqual(
    [1, 2].map((item) => `${resultKey(scope, `[${item}]`)} ${item * item}`).toSorted(),
  );
  expect((await slipway("prune", "--older-than=30d")).out).toMatch(/^results-\S+ +old /);
  expect((await slipway("rm", "square")).out).toMatch(/^results-\S+ +square /);
  expect(JSON.parse((await slipway("prune", "--size=1", "--json")).out)).toMatchObject([{ function: "cube" }]);
  expect((await slipway("ls", "--json")).out).toBe("[]\n");
  const missing = await slipway("rm", "square");
  expect(missing).toMatchObject({ out: "", status: 2 });
  expect(missing.error).toEqual(printed("results-not-found"));
  expect((await slipway("prune")).error).toEqual(printed("command-line-invalid"));
});
