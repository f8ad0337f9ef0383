import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { helperOfTest } from "../functions/testdata/helper.ts";
import { engineOfTest, until } from "../jobs/kubernetes/testdata/cluster.ts";
import { reachableFromPods } from "../kubernetes/testdata/reachable-from-pods.ts";
import { openRegistry } from "../registry/client/open.ts";
import { digestOfTag } from "../results/file.ts";
import { digestOf, folderOfTest, runFiles } from "./testdata/files.ts";
import { pushFilesProgram } from "./testdata/files-image.ts";

vi.setConfig({ testTimeout: 600_000 });

it("are handed on by pods, with a short-lived token for one repository", async () => {
  const cluster = await engineOfTest();
  const image = await pushFilesProgram(cluster.registry);
  const variables: Record<string, string> = {
    ...cluster.env,
    SLIPWAY_CONTAINER_IMAGE: image,
    SLIPWAY_ENGINE: "kubernetes",
    SLIPWAY_ENGINE_HELPER: helperOfTest(),
  };
  // Pods of this cluster do not reach the loopback address of the registry.
  const refused = await runFiles("result", variables);
  expect(refused.err).toMatch(/loopback address.*\n.*podRegistry.*\[registry-login\]\n/);
  const [none, address] = await Promise.all([
    runFiles("none", variables),
    until(async () => {
      const pods = await cluster.list<{ status?: { podIP?: string } }>("pods");
      return pods.map(({ status }) => status?.podIP).find((ip) => ip !== undefined);
    }, "a pod with an address"),
  ]);
  expect(none.result, none.err).toBe(3);
  const config = join(variables["XDG_CONFIG_HOME"] ?? "", "slipway/config.yaml");
  const podRegistry = await reachableFromPods(address, Number(cluster.registry.host.split(":")[1]));
  const settings = JSON.parse(readFileSync(config, "utf8"));
  settings.kubernetes.contexts[cluster.admin.context].podRegistry = podRegistry;
  writeFileSync(config, JSON.stringify(settings));

  const OUT = folderOfTest();
  const { result, err } = await runFiles("result", { ...variables, OUT });
  expect(result, err).toMatchObject({ digest: digestOf("hello"), bytes: "hello" });
  expect(readFileSync(join(OUT, "deep/saved.bin"), "utf8")).toBe("hello");
  const client = openRegistry(cluster.registry.host, { embedded: { socketPath: cluster.registry.paths.socket } });
  onTestFinished(() => client.close());
  const stored = async () => (await client.listTags("test/files")).flatMap((tag) => digestOfTag(tag) ?? []);
  expect(await stored()).toEqual([digestOf("hello")]);

  const DATA = join(folderOfTest(), "data.csv");
  writeFileSync(DATA, "to a pod");
  expect((await runFiles("argument", { ...variables, DATA })).result).toMatchObject({
    text: "to a pod",
    base: "data.csv",
  });
  expect((await runFiles("chain", variables)).result).toMatchObject({ text: "chained" });
  const folder = await runFiles("folder", { ...variables, OUT });
  expect(folder.result, folder.err).toMatchObject({ link: "12", isExecutable: true });
  const large = await runFiles("large", variables);
  expect(large.result, large.err).toEqual([20 * 1024 * 1024, 20 * 1024 * 1024]);
  expect((await runFiles("largeMap", variables)).result).toEqual([20 * 1024 * 1024, 1]);
});
