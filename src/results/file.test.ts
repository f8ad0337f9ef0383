import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { sha256 } from "../oci/digest.ts";
import { openRegistry } from "../registry/client/open.ts";
import { serverOfTest } from "../registry-server/testdata/fixture.ts";
import { digestOfTag, fetchFile, storeFile } from "./file.ts";
import { listResults, removeFiles, unnamedFiles } from "./manage.ts";
import { ResultWriter } from "./writer.ts";

async function placeOfTest() {
  const { host, paths } = await serverOfTest();
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  const folder = mkdtempSync(join(tmpdir(), "file-"));
  onTestFinished(() => {
    client.close();
    rmSync(folder, { recursive: true });
  });
  const place = { client, repository: "team/app", onNotice: () => {} };
  const store = async (text: string, stored = new Date()) => {
    const source = join(folder, "source");
    writeFileSync(source, text);
    const content = { digest: sha256(text), size: Buffer.byteLength(text) };
    await storeFile(place, content, source, stored);
    rmSync(source);
    return content;
  };
  const requests = () => readFileSync(paths.requests, "utf8").split("\n").length;
  return { place, folder, store, paths, requests };
}

it("stores content again with one question", async () => {
  const { place, store, requests } = await placeOfTest();
  const content = await store("content");
  const before = requests();
  await storeFile(place, content, "/nowhere");
  expect(requests() - before).toBe(1);
});

it("refuses content that is damaged in the registry, and leaves nothing of it", async () => {
  const { place, folder, store, paths } = await placeOfTest();
  const content = await store("content");
  const names = readdirSync(paths.data, { recursive: true, encoding: "utf8" });
  const blob = names.find((name) => name.endsWith(content.digest.slice("sha256:".length))) ?? "";
  writeFileSync(join(paths.data, blob), "CONTENT");
  await expect(fetchFile(place, content, join(folder, "target"))).rejects.toThrow(failureWith("registry-failed"));
  expect(readdirSync(folder)).toEqual([]);
});

it("removes old files that no result names", async () => {
  const { place, store } = await placeOfTest();
  const old = new Date(Date.now() - 1000);
  const kept = await store("named", old);
  await store("old", old);
  const fresh = await store("fresh");
  const writer = new ResultWriter(place, { function: "f", version: "1" });
  writer.add({
    key: "0".repeat(64),
    result: `{"model":{"$slipway":"file","digest":"${kept.digest}","name":"m","size":5}}`,
  });
  await writer.end();
  const files = await unnamedFiles(place, await listResults(place), new Date(Date.now() - 500));
  expect(files.map(({ tag }) => digestOfTag(tag))).toEqual([sha256("old")]);
  await removeFiles(place, files);
  const left = (await place.client.listTags("team/app")).flatMap((tag) => digestOfTag(tag) ?? []);
  expect(left.sort()).toEqual([kept.digest, fresh.digest].sort());
});
