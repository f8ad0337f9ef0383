import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { clusterOfTest, type TestCluster, until } from "../kubernetes/testdata/cluster.ts";
import { pushShell } from "../kubernetes/testdata/image.ts";
import { helperOfTest } from "./testdata/helper.ts";

const helper = helperOfTest();

function start(cluster: TestCluster, image: string, script: string, ...argv: readonly string[]) {
  const program = { target: "//pkg:main", image, options: [], env: { SLIPWAY_CONTAINER_IMAGE_URIS: "default##x" } };
  const env = { ...process.env, ...cluster.env, SLIPWAY_ENGINE: "kubernetes" };
  return spawn(helper, ["run", JSON.stringify(program), "-c", script, "sh", ...argv], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

it("runs as a pod whose log and status are its own, and leaves nothing", { timeout: 120_000 }, async () => {
  const cluster = await clusterOfTest();
  const image = await pushShell(cluster.registry);
  const child = start(cluster, image, 'echo "$1 $SLIPWAY_CONTAINER_IMAGE_URIS"; exit 7', "a b");
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  expect(out, err).toBe("a b default##x\n");
  expect(status, err).toBe(7);
  await until(async () => (await cluster.pods()).length === 0, "no pods");
  expect(await cluster.jobs()).toEqual([]);
});

it("ends its pod when it is interrupted", { timeout: 120_000 }, async () => {
  const cluster = await clusterOfTest();
  const image = await pushShell(cluster.registry);
  const child = start(cluster, image, "echo ready; sleep 1000 & wait");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("ready");
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([130, null]);
  await until(async () => (await cluster.pods()).length === 0, "no pods");
  expect(await cluster.jobs()).toEqual([]);
});
