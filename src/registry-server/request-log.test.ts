import { readFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { makeRegistryFolders } from "./paths.ts";
import { RequestLog, type RequestRecord } from "./request-log.ts";
import { pushBlob, serverOfTest, stateOfTest } from "./testdata/fixture.ts";

const lines = async (path: string): Promise<RequestRecord[]> =>
  (await readFile(path, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RequestRecord);

describe("RequestLog", () => {
  it("has a request by the time its answer is there, with the bytes that came and went", async () => {
    const { ask, paths } = await serverOfTest();
    const digest = await pushBlob(ask, "a", "hello");
    await ask("GET", `/v2/a/blobs/${digest}`);
    await ask("HEAD", `/v2/a/blobs/${digest}`, { headers: { authorization: "Bearer geheim" } });
    expect(await lines(paths.requests)).toMatchObject([
      { transport: "socket", method: "POST", status: 201, received: 5 },
      { method: "GET", path: `/v2/a/blobs/${digest}`, status: 200, received: 0, sent: 5 },
      { method: "HEAD", status: 200, sent: 0 },
    ]);
    expect(await readFile(paths.requests, "utf8")).not.toContain("geheim");
  });

  it("starts anew when it is long, and keeps the one before", async () => {
    const { paths } = await stateOfTest();
    await makeRegistryFolders(paths);
    const log = new RequestLog(paths.requests);
    const answer = { time: "", transport: "tcp", status: 200, received: 0, sent: 0 } as const;
    const record = { ...answer, method: "GET", path: "x".repeat(100_000) };
    for (let count = 0; count < 25; count += 1) log.write(record);
    expect((await stat(`${paths.requests}.1`)).size).toBeLessThan(1.2 * 1024 * 1024);
    expect((await stat(paths.requests)).size).toBeLessThan(1.2 * 1024 * 1024);
    expect((await stat(paths.requests)).mode & 0o077).toBe(0);
  });
});
