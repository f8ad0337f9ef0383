import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { emptyContent, emptyDescriptor } from "../../oci/artifact.ts";
import { sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import type { RegistryClient } from "../../registry/client/client.ts";
import { type ResultScope, resultKey, scopeKey } from "../key.ts";
import { listResults, removeResults } from "../manage.ts";
import { encodePack } from "../pack.ts";
import { composeRun, packType, tagOfRun } from "../run.ts";
import type { ResultPlace } from "../read.ts";
import { ResultIndex } from "../result-index.ts";
import { ResultWriter } from "../writer.ts";

const scope = { function: "square", version: "1" };
const keyOf = (item: number) => resultKey(scope, `[${item}]`);
const findResults = (place: ResultPlace, of: ResultScope, keys: Iterable<string>) => new ResultIndex(place, of).find(keys);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** A client that notes what it is asked, and may fail. */
export function watched(client: RegistryClient, fails: (method: string) => boolean = () => false) {
  const asked: string[] = [];
  const proxy = new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        asked.push(String(name));
        return fails(String(name)) ? Promise.reject(new Error("the connection broke")) : value.apply(target, args);
      };
    },
  });
  return { client: proxy, asked };
}

/** Tests of a registry that has the repository `team/app` or makes it. */
export function keepsResults(open: () => Promise<RegistryClient>): void {
  async function placeOfTest() {
    const client = await open();
    const notices: string[] = [];
    const onNotice = (text: string) => void notices.push(text);
    const place: ResultPlace = { client, repository: "team/app", onNotice };
    return { client, notices, place };
  }
  async function keep(place: ResultPlace, items: readonly number[], result = (item: number) => String(item * item)) {
    const writer = new ResultWriter(place, scope);
    for (const item of items) writer.add({ key: keyOf(item), result: result(item) });
    await writer.end();
  }
  async function pushText(client: RegistryClient, text: string) {
    const content = Buffer.from(text);
    const descriptor = { mediaType: packType, digest: sha256(content), size: content.length };
    const source = (start: number, end: number) => Readable.from([content.subarray(start, end)], { objectMode: false });
    await client.pushBlob({ repository: "team/app", descriptor, open: source });
    return descriptor;
  }

  it("finds 1,000 results of one run with at most 10 requests, and asks once where there are none", async () => {
    const { client, place, notices } = await placeOfTest();
    const { client: counted, asked } = watched(client);
    expect(await findResults({ ...place, client: counted }, scope, [keyOf(1)])).toEqual(new Map());
    expect(asked).toEqual(["listTags"]);
    await keep(place, numbers(0, 1000));
    asked.length = 0;
    const found = await findResults({ ...place, client: counted }, scope, numbers(0, 1010).map(keyOf));
    expect(found).toEqual(new Map(numbers(0, 1000).map((item) => [keyOf(item), String(item * item)])));
    expect(asked.length).toBeLessThanOrEqual(10);
    expect(await findResults(place, { ...scope, version: "2" }, [keyOf(1)])).toEqual(new Map());
    asked.length = 0;
    const index = new ResultIndex({ ...place, client: counted }, scope);
    const finds = await Promise.all(numbers(0, 20).map((item) => index.find([keyOf(item)])));
    expect(finds.map((each) => each.size)).toEqual(numbers(0, 20).map(() => 1));
    expect(asked.length).toBeLessThanOrEqual(10);
    expect(notices).toEqual([]);
  });

  it("keeps a large result in a pack of its own, and results that arrive one by one in few packs", async () => {
    const { client, place } = await placeOfTest();
    const large = JSON.stringify("x".repeat(5 * 1024 * 1024));
    await keep(place, [1, 2, 3], (item) => (item === 2 ? large : "1"));
    const [first] = await listResults(place);
    expect(first?.packs.map(({ items }) => items)).toEqual([1, 1, 1]);
    expect((await findResults(place, scope, [keyOf(2)])).get(keyOf(2))).toBe(large);
    const writer = new ResultWriter({ ...place, client }, { ...scope, version: "slow" });
    for (const item of numbers(0, 40)) {
      writer.add({ key: keyOf(item), result: "1" });
      await writer.end();
    }
    const slow = (await listResults(place)).find((run) => run.scope.version === "slow");
    expect(slow).toMatchObject({ items: 40 });
    expect(slow?.packs.length).toBeLessThan(6);
  });

  it("loses nothing of runs that write at once", async () => {
    const { place, notices } = await placeOfTest();
    await Promise.all(numbers(0, 4).map((run) => keep(place, numbers(run * 200, run * 200 + 300))));
    const found = await findResults(place, scope, numbers(0, 900).map(keyOf));
    expect(found).toEqual(new Map(numbers(0, 900).map((item) => [keyOf(item), String(item * item)])));
    expect(await listResults(place)).toHaveLength(4);
    expect(notices).toEqual([]);
  });

  it("shows nothing of a run that ends between its uploads, says once that it cannot store, and tries again", async () => {
    const { client, place, notices } = await placeOfTest();
    await keep(place, [1]);
    let isBroken = true;
    const broken = watched(client, (method) => method === "putManifest" && isBroken);
    const writer = new ResultWriter({ ...place, client: broken.client }, scope);
    for (const item of numbers(0, 250)) writer.add({ key: keyOf(item), result: "7" });
    await writer.end();
    await writer.end();
    expect(broken.asked).toContain("pushBlob");
    expect(notices).toEqual([expect.stringMatching(/team\/app, and will run again: .*the connection broke/)]);
    expect([...(await findResults(place, scope, numbers(0, 300).map(keyOf))).keys()]).toEqual([keyOf(1)]);
    isBroken = false;
    await writer.end();
    expect((await findResults(place, scope, numbers(0, 300).map(keyOf))).size).toBe(250);
  });

  it("uses nothing that is foreign or damaged, and says so", async () => {
    const { client, place, notices } = await placeOfTest();
    await keep(place, [1]);
    const source = () => Readable.from([emptyContent], { objectMode: false });
    await client.pushBlob({ repository: "team/app", descriptor: emptyDescriptor, open: source });
    const put = (tag: string, bytes: Uint8Array) =>
      client.putManifest("team/app", tag, bytes, mediaTypes.manifest);
    const ids = ["a", "b", "c"].map((digit) => digit.repeat(16));
    const [damaged = "", foreign = "", stolen = ""] = ids.map((id) => tagOfRun(scope, id));
    const stored = new Date();
    const cut = encodePack(scope, [{ key: keyOf(2), result: "4" }]).toString().slice(0, -1);
    const packs = [{ descriptor: await pushText(client, cut), items: 1 }];
    await put(damaged, composeRun(damaged, { scope, packs, stored }));
    const other = { ...scope, version: "2" };
    const pack = await pushText(client, encodePack(other, [{ key: keyOf(3), result: "9" }]).toString());
    await put(foreign, composeRun(foreign, { scope: other, packs: [{ descriptor: pack, items: 1 }], stored }));
    await put(stolen, composeRun(stolen, { scope, packs: [{ descriptor: pack, items: 1 }], stored }));
    await put(`results-${scopeKey(scope)}`, composeRun("x", { scope, packs: [], stored }));
    const found = await findResults(place, scope, [1, 2, 3].map(keyOf));
    expect(found).toEqual(new Map([[keyOf(1), "1"]]));
    expect(notices).toHaveLength(3);
    for (const text of [
      `${damaged} ends in the middle of a line; it is not used.`,
      `${stolen} is of another function; it is not used.`,
      `${foreign} is of another function or run; its results are not used.`,
    ])
      expect(notices).toContainEqual(expect.stringContaining(text));
  });

  it("removes the results of a run, and no others", async () => {
    const { place } = await placeOfTest();
    await keep(place, [1, 2]);
    await keep(place, [3]);
    const runs = await listResults(place);
    expect(runs.map(({ items }) => items).toSorted()).toEqual([1, 2]);
    await removeResults(place, runs.filter(({ items }) => items === 2));
    expect([...(await findResults(place, scope, [1, 2, 3].map(keyOf))).keys()]).toEqual([keyOf(3)]);
  });
}
