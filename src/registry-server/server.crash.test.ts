import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { sha256 } from "../oci/digest.ts";
import { parseImageManifest } from "../oci/manifest.ts";
import { type Ask, askOver, pushImage, serverOfTest, stateOfTest } from "./testdata/fixture.ts";
import { serverProcess } from "./testdata/process.ts";

/**
 * Everything that a store offers is whole: each file is what its name says, each tag leads to an image with all its
 * parts.
 */
async function expectWhole(ask: Ask, data: string, repository: string): Promise<string[]> {
  const folder = join(data, "blobs", "sha256");
  for (const hex of existsSync(folder) ? await readdir(folder) : []) {
    expect(sha256(await readFile(join(folder, hex)))).toBe(`sha256:${hex}`);
  }
  expect(await readdir(join(data, "temporary"))).toEqual([]);
  const list = await ask("GET", `/v2/${repository}/tags/list`);
  const { tags } = list.status === 404 ? { tags: [] } : (JSON.parse(list.text) as { tags: string[] });
  for (const tag of tags) {
    const manifest = await ask("GET", `/v2/${repository}/manifests/${tag}`);
    expect(manifest.status).toBe(200);
    expect(sha256(manifest.body)).toBe(manifest.headers["docker-content-digest"]);
    const { config, layers } = parseImageManifest(manifest.body);
    for (const { digest } of [config, ...layers]) {
      const blob = await ask("GET", `/v2/${repository}/blobs/${digest}`);
      expect([blob.status, sha256(blob.body)]).toEqual([200, digest]);
    }
  }
  return tags;
}

describe("a server that is killed", () => {
  it("in the middle of an upload serves nothing of it, and its successor goes on from there", async () => {
    const { env, paths } = await stateOfTest();
    const server = await serverProcess(env);
    const ask = askOver({ socketPath: paths.socket });
    const content = Buffer.alloc(8 * 1024 * 1024, "slipway");
    const half = content.length / 2;
    const location = (await ask("POST", "/v2/a/blobs/uploads/")).headers.location as string;
    const body = new PassThrough();
    const broken = ask("PATCH", location, { body }).then(
      () => "answered",
      () => "broken",
    );
    body.write(content.subarray(0, half));
    const came = async () => Number((await ask("GET", location)).headers.range?.split("-")[1]) + 1;
    while ((await came()) < half);
    await server.kill();
    expect(await broken).toBe("broken");

    await serverProcess(env);
    expect((await ask("GET", `/v2/a/blobs/${sha256(content)}`)).status).toBe(404);
    const offset = await came();
    expect(offset).toBe(half);
    const end = await ask("PUT", `${location}?digest=${sha256(content)}`, { body: content.subarray(offset) });
    expect(end.status).toBe(201);
    expect(sha256((await ask("GET", `/v2/a/blobs/${sha256(content)}`)).body)).toBe(sha256(content));
  });

  it("at any moment of pushes leaves a store in which everything is whole, and the next push completes", async () => {
    const { env, paths } = await stateOfTest();
    const ask = askOver({ socketPath: paths.socket });
    const layers = (n: number): string[] => [`layer ${n} `.repeat(50_000), "shared"];
    for (const answersBeforeKill of [1, 4, 9, 17]) {
      const server = await serverProcess(env);
      let answers = 0;
      let killed: Promise<void> | undefined;
      const counting: Ask = async (...request) => {
        const answer = await ask(...request);
        answers += 1;
        if (answers === answersBeforeKill) killed = server.kill();
        return answer;
      };
      const pushes = [1, 2, 3, 4, 5].map((n) => pushImage(counting, "a", `v${n % 3}`, layers(n * answersBeforeKill)));
      await Promise.allSettled(pushes);
      await killed;

      const next = await serverOfTest({ paths });
      await expectWhole(next.ask, paths.data, "a");
      const digest = await pushImage(next.ask, "a", "v1", layers(answersBeforeKill));
      expect((await next.ask("HEAD", "/v2/a/manifests/v1")).headers["docker-content-digest"]).toBe(digest);
      expect(await expectWhole(next.ask, paths.data, "a")).toContain("v1");
      await next.stop();
    }
  });
});

describe("a server that is killed while it removes what is unused", () => {
  it("beside pushes loses nothing that a tag leads to", { timeout: 60_000 }, async () => {
    const { env, paths } = await stateOfTest();
    const ask = askOver({ socketPath: paths.socket });
    const pushed = new Set<string>();
    for (const answersBeforeKill of [5, 40, 90, 170]) {
      const server = await serverProcess(env);
      let answers = 0;
      let killed: Promise<void> | undefined;
      const counting: Ask = async (...request) => {
        const answer = await ask(...request);
        answers += 1;
        if (answers === answersBeforeKill) killed = server.kill();
        return answer;
      };
      const collect = async (): Promise<void> => {
        while (killed === undefined) expect((await counting("POST", "/slipway/gc?now")).status).toBe(200);
      };
      const push = async (n: number): Promise<void> => {
        for (let count = 0; killed === undefined; count++) {
          const tag = `v${n}-${answersBeforeKill}-${count}`;
          // Blobs that no manifest names yet are unused. Then a client sends them again.
          const pushing = pushImage(counting, "a", tag, [`layer ${n} ${count} `.repeat(5_000), "shared", tag]);
          await pushing.then(
            () => pushed.add(tag),
            () => {},
          );
        }
      };
      await Promise.allSettled([collect(), collect(), push(1), push(2), push(3)]);
      await killed;

      const next = await serverOfTest({ paths });
      const tags = await expectWhole(next.ask, paths.data, "a");
      for (const tag of pushed) expect(tags).toContain(tag);
      expect((await next.ask("POST", "/slipway/gc?now")).status).toBe(200);
      expect(await expectWhole(next.ask, paths.data, "a")).toEqual(tags);
      await next.stop();
    }
    expect(pushed.size).toBeGreaterThan(0);
  });
});

describe("a client that goes away", () => {
  it("in the middle of a piece can go on from what came", async () => {
    const { ask } = await serverOfTest();
    const location = (await ask("POST", "/v2/a/blobs/uploads/")).headers.location as string;
    const body = new PassThrough();
    const request = ask("PATCH", location, { body });
    body.write(Buffer.alloc(1000, "a"));
    const range = async () => (await ask("GET", location)).headers.range;
    while ((await range()) !== "0-999");
    body.destroy(new Error("gone"));
    await expect(request).rejects.toThrow();
    const digest = sha256("a".repeat(2000));
    expect((await ask("PUT", `${location}?digest=${digest}`, { body: "a".repeat(1000) })).status).toBe(201);
    expect((await ask("GET", `/v2/a/blobs/${digest}`)).text).toBe("a".repeat(2000));
  });
});
