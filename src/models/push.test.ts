import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { printable } from "../core/printable.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { openRegistry } from "../registry/client/open.ts";
import { serverOfTest } from "../registry-server/testdata/fixture.ts";
import { fetchModel } from "./fetch.ts";
import { listVersions, removeModel } from "./list.ts";
import { divide, smallFile, unpackedFiles } from "./packs.ts";
import { pushModel } from "./push.ts";
import { placeOfModel, resolveModel } from "./registry.ts";

function folderOfTest(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-model-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  write(folder, files);
  return folder;
}

function write(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

async function registryOfTest() {
  const { paths, ask, host } = await serverOfTest();
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  return { ask, place: placeOfModel({ client, host, place: (name) => name }, "team/iris"), client };
}

const many = (count: number, content: (index: number) => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`part-${index % 7}/${index}.txt`, content(index)]));

it("keeps a model as an artifact, and the same files are the same version", async () => {
  const { place, client } = await registryOfTest();
  const folder = folderOfTest({ "model.bin": "weights", "bin/run": "#!/bin/sh\n", empty: "" });
  chmodSync(join(folder, "bin/run"), 0o755);
  const first = await pushModel(place, { folder, name: "iris" });
  expect(first).toMatchObject({ outcome: "pushed", files: 3, size: 17 });
  const stored = await client.getManifest("models/team/iris", "latest");
  expect(JSON.parse(stored?.bytes.toString() ?? "")).toMatchObject({
    artifactType: "application/vnd.slipway.model.v1",
    config: {
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      size: 2,
    },
    layers: [
      { annotations: { "org.opencontainers.image.title": "bin/run", "slipway.executable": "true" }, size: 10 },
      { annotations: { "org.opencontainers.image.title": "empty" }, size: 0 },
      { annotations: { "org.opencontainers.image.title": "model.bin" }, size: 7 },
    ],
  });
  expect(await pushModel(place, { folder, name: "iris" })).toMatchObject({
    outcome: "unchanged",
    digest: first.digest,
  });
  const other = folderOfTest({ empty: "", "bin/run": "#!/bin/sh\n", "model.bin": "weights" });
  chmodSync(join(other, "bin/run"), 0o700);
  expect((await pushModel(place, { folder: other, name: "iris" })).digest).toBe(first.digest);
  expect((await fetchModel(client, "models/team/iris", first.digest))?.model.files).toMatchObject([
    { path: "bin/run", isExecutable: true },
    { path: "empty", isExecutable: false },
    { path: "model.bin", isExecutable: false, size: 7 },
  ]);
});

it("moves what changed, asks for nothing else, and keeps versions in order", async () => {
  const { place, client } = await registryOfTest();
  const folder = folderOfTest({ a: "1".repeat(100_000), b: "2".repeat(100_000), ...many(400, String) });
  const sent: number[] = [];
  const push = async () => {
    sent.length = 0;
    return pushModel(place, {
      folder,
      name: "iris",
      onEvent: (event) => {
        if (event.type === "sending") sent.push(event.size);
      },
    });
  };
  const one = await push();
  expect(sent.length).toBeGreaterThan(3);
  write(folder, { b: "3".repeat(100_000), "part-3/3.txt": "another" });
  const two = await push();
  expect(sent).toHaveLength(3);
  expect(sent).toContain(100_000);
  expect(await resolveModel(place)).toBe(two.digest);
  expect(await resolveModel(place, one.digest)).toBe(one.digest);
  const { model } = (await fetchModel(client, "models/team/iris", two.digest)) ?? {};
  expect(model?.files).toHaveLength(402);
  expect(model?.files.find(({ path }) => path === "part-3/3.txt")).toMatchObject({ size: 7 });
  expect(await listVersions(place)).toMatchObject([
    { number: 1, digest: one.digest, isLatest: false, size: one.size },
    { number: 2, digest: two.digest, isLatest: true, size: two.size },
  ]);

  // What was before becomes the newest again, without another version.
  write(folder, { b: "2".repeat(100_000), "part-3/3.txt": "3" });
  expect(await push()).toMatchObject({ outcome: "tagged", digest: one.digest });
  expect((await listVersions(place)).map(({ isLatest }) => isLatest)).toEqual([true, false]);
});

it("removes a version, after which the one before is the newest, and all", async () => {
  const { place } = await registryOfTest();
  const folder = folderOfTest({ a: "1" });
  const one = await pushModel(place, { folder, name: "iris" });
  write(folder, { a: "2" });
  const two = await pushModel(place, { folder, name: "iris" });
  expect(await removeModel(place, two.digest)).toEqual([two.digest]);
  expect(await resolveModel(place)).toBe(one.digest);
  await expect(resolveModel(place, two.digest)).rejects.toThrow(
    userErrorWith("model-not-found", `team/iris@${two.digest}`),
  );
  await expect(removeModel(place, two.digest)).rejects.toThrow(
    userErrorWith("model-not-found", `team/iris@${two.digest}`),
  );
  expect(await removeModel(place)).toEqual([one.digest]);
  await expect(resolveModel(place)).rejects.toThrow(userErrorWith("model-not-found", "team/iris"));
});

it("shows nothing of a push that breaks off", async () => {
  const { place, client } = await registryOfTest();
  const folder = folderOfTest({ a: "1", b: "2" });
  const failing = new Proxy(client, {
    get: (target, name) =>
      name === "putManifest"
        ? () => Promise.reject(new Error("the connection broke"))
        : Reflect.get(target, name, target).bind?.(target),
  });
  await expect(pushModel({ ...place, client: failing }, { folder, name: "iris" })).rejects.toThrow("broke");
  expect(await client.listTags("models/team/iris")).toEqual([]);
  expect(await pushModel(place, { folder, name: "iris" })).toMatchObject({ outcome: "pushed" });
});

it("refuses what is no file, by name, and files that change meanwhile", async () => {
  const { place, client } = await registryOfTest();
  const folder = folderOfTest({ a: "1", "deep/b": "2" });
  symlinkSync("../a", join(folder, "deep/link"));
  const push = () => pushModel(place, { folder, name: "./iris" });
  await expect(push()).rejects.toThrow(userErrorWith("model-invalid", "./iris/deep/link"));
  renameSync(join(folder, "deep/link"), join(folder, "A"));
  await expect(push()).rejects.toThrow(userErrorWith("model-invalid", "./iris/A"));
  rmSync(join(folder, "A"));
  write(folder, { A: "1" });
  await expect(push()).rejects.toThrow(/differs from "[aA]" only in case/);
  rmSync(join(folder, "A"));
  writeFileSync(join(folder, "tab\there"), "");
  await expect(push()).rejects.toThrow(userErrorWith("model-invalid", printable("./iris/tab\there")));
  rmSync(join(folder, "tab\there"));
  await expect(pushModel(place, { folder: folderOfTest({}), name: "x" })).rejects.toThrow(
    userErrorWith("model-invalid", "x"),
  );
  await expect(pushModel(place, { folder: join(folder, "none"), name: "x" })).rejects.toThrow(
    userErrorWith("file-unreadable", "x"),
  );

  const changing = pushModel(place, { folder, name: "x", onRead: () => write(folder, { a: "another" }) });
  await expect(changing).rejects.toThrow(userErrorWith("model-invalid", "x/a"));
  expect(await client.listTags("models/team/iris")).toEqual([]);
});

it("packs small files so that a change stays in its pack", () => {
  const files = Array.from({ length: 5000 }, (_, index) => ({
    path: `data/${index}.json`,
    digest: "sha256:0" as const,
    size: 100 + index,
    isExecutable: false,
  }));
  const few = files.slice(0, unpackedFiles);
  expect(divide(few)).toEqual({ singles: few, packs: [] });
  const large = { ...files[0], path: "large", size: smallFile + 1 } as (typeof files)[number];
  const { singles, packs } = divide([...files, large]);
  expect(singles).toEqual([large]);
  expect(packs.length).toBeGreaterThan(40);
  expect(packs.length).toBeLessThan(400);
  expect(packs.flat()).toHaveLength(5000);
  const names = (all: typeof packs) => all.map((pack) => pack.map(({ path }) => path).join());
  const before = new Set(names(packs));
  const after = names(divide(files.filter(({ path }) => path !== "data/2500.json")).packs);
  expect(after.filter((name) => !before.has(name)).length).toBeLessThan(5);
});
