import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith } from "../core/testdata/reported.ts";
import { mirrorFetch } from "./http-fetch.ts";

const server = createServer((request, response) => {
  response.statusCode = request.url === "/debian/dists/x" ? 200 : 404;
  response.end(`you asked for ${request.url}`);
});
let address: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
});

describe("mirrorFetch", () => {
  it("fetches over HTTP", async () => {
    const bytes = await mirrorFetch({ debian: `${address}/debian` })("debian", "dists/x");
    expect(Buffer.from(bytes).toString()).toBe("you asked for /debian/dists/x");
  });

  it("names the address and the status of what is not there", async () => {
    await expect(mirrorFetch({ debian: `${address}/debian` })("debian", "dists/y")).rejects.toThrow(
      failureWith("repository-failed", `${address}/debian/dists/y`),
    );
  });

  it("names the address and the cause when nobody answers", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    await expect(mirrorFetch({ debian: `http://127.0.0.1:${port}/debian` })("debian", "dists/y")).rejects.toThrow(
      /ECONNREFUSED/,
    );
  });

  it.each([
    ["answers", () => {}],
    ["ends its answer", (response: ServerResponse) => void response.write("a part")],
  ])("gives up on an archive that never %s", async (_, answer) => {
    const silent = createServer((_request, response) => answer(response));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const debian = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/debian`;
    const fetching = mirrorFetch({ debian }, 100)("debian", "dists/x");
    await expect(fetching).rejects.toThrow(failureWith("repository-failed", `${debian}/dists/x`));
  });

  it("reads a mirror that is a folder", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "dists"));
    writeFileSync(join(folder, "dists/x"), "here");
    const fetch = mirrorFetch({ debian: pathToFileURL(folder).href });
    expect(Buffer.from(await fetch("debian", "dists/x")).toString()).toBe("here");
    await expect(fetch("debian", "dists/y")).rejects.toThrow(failureWith("repository-failed", /^file:.*dists\/y$/));
  });
});
