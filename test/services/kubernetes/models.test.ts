import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it, vi } from "vitest";
import { SecretWatch } from "../../credentials/testdata/secrets.ts";
import { kubectl, type Pod, ServiceUser, waitUntil } from "./machine.ts";
import { PodRegistry } from "./registry.ts";

// Pods of a busy machine take their time.
vi.setConfig({ testTimeout: 300_000 });

const MiB = 2 ** 20;

/**
 * A user with a registry that pods reach and others may not read, an image, and the example with a model, unchanged
 * apart from that.
 */
async function example(claim?: string, more = "") {
  const user = await ServiceUser.make();
  const { machine } = user;
  await user.configure();
  const image = await user.image();
  const { out } = await machine.run("bazel/private/service/sync_push", []);
  const registry = await PodRegistry.start(user.address);
  const context = (await kubectl("config", "current-context")).trim();
  const settings = {
    kubernetes: { contexts: { [context]: { nodeLocal: true } } },
    registries: { [registry.host]: { plainHttp: true } },
    instanceTypes: { C4: { cpu: 0.05, memory: "256MiB" } },
    services: claim === undefined ? {} : { models: { claim } },
  };
  const { username, password } = registry.login;
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  machine.write({
    "xdg-CONFIG/slipway/config.yaml": JSON.stringify(settings),
    "docker/config.json": JSON.stringify({ auths: { [registry.host]: { auth } } }),
    "model.yaml": readFileSync("examples/services/model.yaml", "utf8")
      .replace("image: tensorflow/serving", `image: ${image}`)
      .replace("replicas: 1", `replicas: ${more === "" ? 1 : 2}`),
  });
  Object.assign(machine.env, {
    DOCKER_CONFIG: join(machine.home, "docker"),
    SLIPWAY_COPY_CREDENTIALS: "1",
    SLIPWAY_REGISTRY: registry.host,
    SLIPWAY_SYNC_IMAGE: out.trim(),
  });
  const push = async (files: Readonly<Record<string, string | Buffer>>): Promise<string> => {
    for (const [path, content] of Object.entries(files)) {
      const file = join(machine.home, "model", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    const pushed = await user.slipway(["model", "push", "model-id", "model"]);
    expect(pushed).toMatchObject({ status: 0, out: expect.stringMatching(/^model-id@sha256:[0-9a-f]{64}\n$/) });
    return pushed.out.trim().split("sha256:")[1] as string;
  };
  const apply = async () => {
    const applied = await user.slipway(["service", "apply", "model.yaml"]);
    expect(applied).toMatchObject({ status: 0 });
    return applied.out;
  };
  const log = ({ metadata }: Pod) => user.kubectl("logs", metadata.name, "--container=sync-models");
  return { user, registry, push, apply, log };
}

const inPod = async (user: ServiceUser, pod: Pod, path: string) => user.read(pod, `/opt/models/${path}`);

it("are where the spec says, read-only, and neither secrets nor the volume are", async () => {
  const { user, registry, push, apply, log } = await example();
  const watch = new SecretWatch([registry.login.password], user.machine.home);
  await watch.while(async () => {
    await push({ "saved_model.pb": "weights", "variables/index": "deep", "bin/run": "#!/bin/sh\n" });
    const plan = await user.slipway(["service", "plan", "model.yaml"]);
    expect(plan).toMatchObject({ status: 0, out: expect.stringContaining("create Secret model-models\n") });
    expect(await apply()).toContain("create Deployment model\n");
    expect(await user.slipway(["service", "apply", "model.yaml"])).toMatchObject({ status: 0, out: "" });
    const [pod] = await user.ready("model");
    expect(JSON.parse(await user.read(pod, "/opt/models"))).toEqual(["bin", "saved_model.pb", "variables"]);
    expect(await inPod(user, pod, "saved_model.pb")).toBe("weights");
    expect(await inPod(user, pod, "variables/index")).toBe("deep");
    for (const path of ["/run/slipway", "/volume"]) await expect(user.read(pod, path)).rejects.toThrow(/^404/);
    const write = user.kubectl(
      "exec",
      pod.metadata.name,
      "--container=main",
      "--",
      "sh",
      "-c",
      "echo x >/opt/models/x",
    );
    await expect(write).rejects.toThrow("Read-only file system");
    watch.saw("log of the sync program", await log(pod));
    watch.saw(
      "everything but secrets",
      await user.kubectl("get", "pods,deployments,events,configmaps", "--output=yaml"),
    );
  });
  // Its user's own file has it.
  expect(watch.findings([join(user.machine.home, "docker/config.json")])).toEqual([]);
});

it("are fetched once for a volume that pods share, stay as they are for old pods, and are mended", async () => {
  const { user, registry, push, apply, log } = await example("models", "two");
  const volume = await user.claim("models");
  const one = await push({ "weights.bin": Buffer.alloc(2 * MiB, "a"), "head.txt": "first" });
  await apply();
  const pods = await user.ready("model");
  expect(pods).toHaveLength(2);
  for (const pod of pods) expect(await inPod(user, pod, "head.txt")).toBe("first");
  const logs = (await Promise.all(pods.map(log))).join("");
  expect(logs.match(/fetched in 2 blobs/g)).toHaveLength(1);
  expect(logs.match(/nothing fetched/g)).toHaveLength(1);

  // Another version changes nothing where the first one is, and moves what is new in it.
  const folder = (version: string) => join(volume, "models/sha256", version);
  const before = statSync(join(folder(one), "weights.bin"));
  const two = await push({ "head.txt": "second" });
  for (const pod of pods) expect(await inPod(user, pod, "head.txt")).toBe("first");
  registry.ranges.length = 0;
  expect(await apply()).toMatch(/change Deployment model: .*args/);
  const newer = await user.ready("model");
  for (const pod of newer) expect(await inPod(user, pod, "head.txt")).toBe("second");
  expect(registry.ranges).toHaveLength(1);
  expect(readFileSync(join(folder(one), "head.txt"), "utf8")).toBe("first");
  expect(statSync(join(folder(one), "weights.bin"))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  expect(statSync(join(folder(two), "weights.bin")).ino).toBe(before.ino);

  // What the disk damaged is found by the next pod.
  const damaged = join(folder(two), "head.txt");
  chmodSync(damaged, 0o644);
  writeFileSync(damaged, "broken");
  const [victim] = newer;
  await user.kubectl("delete", "pod", victim.metadata.name, "--wait=false");
  const isOther = ({ metadata }: Pod) => !newer.some((pod) => pod.metadata.name === metadata.name);
  await waitUntil(
    () => user.pods("model"),
    (all) => all.some(isOther),
  );
  const [mended] = (await user.ready("model")).filter(isOther);
  if (!mended) throw new Error("no pod");
  expect(await inPod(user, mended, "head.txt")).toBe("second");
  expect(await log(mended)).toContain("fetched in 1 blob, 1 mended");
});

it("go on where a pod was killed", async () => {
  const { user, registry, push, apply } = await example("models");
  const volume = await user.claim("models");
  const size = 4 * MiB;
  const version = await push({ "weights.bin": Buffer.alloc(size, "w") });
  registry.stallsAt = 0.5;
  await apply();
  const partial = join(volume, "partial");
  const kept = () => {
    const [name] = existsSync(partial) ? readdirSync(partial) : [];
    return name === undefined ? 0 : statSync(join(partial, name)).size;
  };
  await waitUntil(
    async () => kept(),
    (bytes) => bytes === size / 2,
  );
  const [killed] = await user.pods("model");
  if (!killed) throw new Error("no pod");
  expect(existsSync(join(volume, "models/sha256", version))).toBe(false);
  await user.kubectl("delete", "pod", killed.metadata.name, "--grace-period=0", "--force");
  registry.stallsAt = 1;
  registry.ranges.length = 0;
  const [pod] = await user.ready("model");
  expect(registry.ranges).toEqual([`bytes=${size / 2}-${size - 1}`]);
  expect(await inPod(user, pod, "weights.bin")).toBe("w".repeat(size));
});

it("that nobody can bring are said so before anything is applied", async () => {
  const { user, push } = await example();
  const apply = () => user.slipway(["service", "apply", "model.yaml"]);
  const absentModel = { status: 2, error: expect.stringMatching(/model-id[\s\S]*\[model-not-found\]\n$/) };
  expect(await apply()).toMatchObject(absentModel);
  await push({ a: "1" });
  const spec = readFileSync(join(user.machine.home, "model.yaml"), "utf8");
  user.machine.write({ "model.yaml": spec.replace("id: model-id", `id: model-id@sha256:${"0".repeat(64)}`) });
  expect(await apply()).toMatchObject(absentModel);
  user.machine.write({ "model.yaml": spec });
  const absent = await example("nowhere");
  await absent.push({ a: "1" });
  expect((await absent.user.slipway(["service", "apply", "model.yaml"])).error).toMatch(
    /services\.models\.claim.* nowhere[\s\S]*\[field-invalid\]\n$/,
  );
  delete user.machine.env["SLIPWAY_REGISTRY"];
  await user.slipway(["model", "push", "model-id", "model"]);
  expect((await apply()).error).toMatch(/localhost:\d+[\s\S]*\[registry-unreachable\]\n$/);
  expect(await user.pods("model")).toEqual([]);
});
