import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import { sha256 } from "../oci/digest.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { type FakeCache, fakeHttpCache } from "../remote-cache/testdata/fake-cache.ts";
import { Target } from "./testdata/target.ts";

let registry: FakeRegistry;
let cache: FakeCache;
beforeEach(async () => {
  [registry, cache] = await Promise.all([FakeRegistry.start(), fakeHttpCache()]);
});
afterEach(async () => void (await Promise.all([registry.stop(), cache.stop()])));

/** Takes the layers out of the runfiles, whose metadata are links into a folder of build outputs. */
function leaveOut(target: Target, outputs = join(target.folder, "bazel-out")): string {
  mkdirSync(outputs, { recursive: true });
  Object.assign(target.request, { remoteCache: cache.address });
  for (const blob of target.images.flatMap(({ blobs }) => blobs) as {
    metadata: string;
    blob?: string;
    beside?: string;
  }[]) {
    if (blob.blob === undefined) continue;
    const metadata = join(target.runfiles, blob.metadata);
    renameSync(metadata, join(outputs, basename(metadata)));
    symlinkSync(join(outputs, basename(metadata)), metadata);
    cache.add(readFileSync(join(target.runfiles, blob.blob)));
    renameSync(join(target.runfiles, blob.blob), join(dirname(outputs), basename(blob.blob)));
    blob.beside = basename(blob.blob);
    delete blob.blob;
  }
  return outputs;
}

function pushTarget(...layers: string[]): { target: Target; digest: string; outputs: string } {
  const target = new Target("push");
  target.request.defaultRegistry = registry.host;
  const digest = target.image({ layers });
  return { target, digest, outputs: leaveOut(target) };
}

const reads = () => cache.log.filter((each) => each.startsWith("GET"));
const layerIn = (text: string) => registry.blobs.has(`team/app ${sha256(text)}`);

describe("a layer that run targets do not carry", () => {
  it("streams from the cache if the registry lacks it, and not again", async () => {
    const { target, digest } = pushTarget("one", "two");
    const stdout = `${registry.host}/team/app@${digest}\n`;
    expect(await target.run()).toMatchObject({ status: 0, stdout, stderr: expect.stringContaining("2 streamed") });
    expect([layerIn("one"), layerIn("two")]).toEqual([true, true]);
    expect(reads().length).toBe(2);
    cache.log.length = 0;
    expect(await target.run()).toEqual({ status: 0, stdout, stderr: "" });
    expect(cache.log).toEqual([]);
  });

  it("is asked for only where the registry lacks it", async () => {
    registry.putBlob("team/app", Buffer.from("one"));
    const { target } = pushTarget("one", "two");
    expect(await target.run()).toMatchObject({ status: 0 });
    expect(cache.log.map((each) => each.split(" ")[1])).toEqual(Array(2).fill(sha256("two").slice(7)));
  });

  it("is read beside its metadata if it was made here", async () => {
    const { target, outputs } = pushTarget("one", "two");
    writeFileSync(join(outputs, "default0.tar.gz"), "one");
    // Of another size: left over from another build.
    writeFileSync(join(outputs, "default1.tar.gz"), "two and more");
    expect(await target.run()).toMatchObject({ status: 0 });
    expect(reads().map((each) => each.split(" ")[1])).toEqual([sha256("two").slice(7)]);
    expect([layerIn("one"), layerIn("two")]).toEqual([true, true]);
  });

  it("that the cache has lost ends the push before anything is sent", async () => {
    const { target } = pushTarget("one", "two");
    cache.remove({ digest: sha256("two"), size: 3 });
    const { status, stdout, stderr } = await target.run();
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toEqual(printed("layer-evicted"));
    expect(stderr).toContain(sha256("two"));
    expect(stderr).toContain("bazel build --output_groups=+layers //pkg:t");
    expect(registry.blobs.size).toBe(0);
    expect(registry.manifests.size).toBe(0);
  });

  it("that is damaged in the cache is no image", async () => {
    const { target } = pushTarget("one");
    cache.faults.push({ after: 1, how: "damage" });
    const { status, stderr } = await target.run();
    expect(status).toBe(1);
    expect(stderr).toEqual(printed("remote-cache-failed"));
    expect(registry.manifests.size).toBe(0);
  });

  it("is named by a dry run", async () => {
    const { target } = pushTarget("one");
    const { status, stdout } = await target.run(["--dry-run"]);
    expect(status).toBe(0);
    expect(stdout).toContain(cache.host);
    expect(reads()).toEqual([]);
  });
});
