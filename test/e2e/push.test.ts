import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { editProbe, readSeen, writeProbe } from "./probe.ts";
import { ofApi, Registry } from "./registry.ts";
import { Workspace } from "./workspace.ts";

const workspace = new Workspace("launch");
const registry = new Registry(workspace);

beforeAll(async () => {
  writeProbe(workspace);
  await workspace.stdout(["run", "//probe:probe_push"]);
});
afterAll(async () => {
  writeProbe(workspace);
  await registry.stop();
});

describe("when nothing has changed", () => {
  it("a run asks the registry one thing for each image", async () => {
    const requests = await registry.requestsDuring(() => workspace.stdout(["run", "//probe"]));
    expect(ofApi(requests)).toHaveLength(2);
    expect(requests).toHaveLength(2);
    for (const { method, path } of requests)
      expect(`${method} ${path}`).toMatch(/^HEAD \/v2\/probe\/manifests\/sha256:/);
  });

  it("a push asks one thing for each tag", async () => {
    const requests = await registry.requestsDuring(() => workspace.stdout(["run", "//probe:probe_push"]));
    expect(ofApi(requests).sort()).toEqual([
      "HEAD /v2/probe/manifests/probe_default",
      "HEAD /v2/probe/manifests/probe_slim",
    ]);
    expect(requests).toHaveLength(2);
  });
});

describe("one edited line of the entry point", () => {
  it("changes one layer, and no other blob is sent", async () => {
    const before = await registry.manifest("probe", "probe_default");
    const version = randomUUID();
    editProbe(workspace, version);
    let uris = "";
    const requests = await registry.requestsDuring(async () => {
      const seen = readSeen(await workspace.stdout(["run", "//probe"]));
      expect(seen.version).toBe(version);
      uris = seen.environment["SLIPWAY_CONTAINER_IMAGE_URIS"] ?? "";
    });
    const manifestOf = (tag: string) =>
      registry.manifest("probe", new RegExp(`${tag}##[^@]*@(sha256:\\w+)`).exec(uris)?.[1] ?? "");
    const after = await manifestOf("default");

    const known = new Set(before.layers.map(({ digest }) => digest));
    const changed = after.layers.filter(({ digest }) => !known.has(digest));
    expect(after.layers).toHaveLength(before.layers.length);
    expect(changed).toHaveLength(1);
    expect(after.layers.at(-1)).toEqual(changed[0]);
    expect(after.config.digest).not.toBe(before.config.digest);

    const slim = await manifestOf("slim");
    // The embedded registry takes a blob in one POST.
    const sent = requests.filter(({ method }) => method === "PUT" || method === "POST").map(({ path }) => path);
    const blobs = sent.flatMap((path) => /[?&]digest=(.*)/.exec(decodeURIComponent(path))?.[1] ?? []);
    expect(blobs.sort()).toEqual([changed[0]?.digest, after.config.digest, slim.config.digest].sort());
    expect(sent.filter((path) => path.includes("/manifests/"))).toHaveLength(2);
    expect(sent).toHaveLength(5);
    // The tag is the push's, and others may use it.
    expect(await registry.manifest("probe", "probe_default")).toEqual(before);
  });
});

describe("tags", () => {
  it("say what was pushed last, although the registry has it from before: A, B, A", async () => {
    const digests: (string | undefined)[] = [];
    for (const version of ["A", "B", "A"]) {
      editProbe(workspace, version);
      const pushed = await workspace.stdout(["run", "//probe:probe_default_push"]);
      const digest = pushed.trim().split("@")[1];
      expect(await registry.tag("probe", "probe_default")).toBe(digest);
      digests.push(digest);
    }
    expect(digests[0]).toBe(digests[2]);
    expect(digests[0]).not.toBe(digests[1]);
  });
});
