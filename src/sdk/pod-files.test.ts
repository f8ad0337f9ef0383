import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { podRemote } from "./pod-files.ts";
import { digestOf, folderOfTest } from "./testdata/files.ts";

const text = "0123456789".repeat(100_000);
const content = { digest: digestOf(text) as `sha256:${string}`, size: text.length };

/** A registry that fails as a test wants. @returns what pods are given, in a folder of its own */
async function registryOfTest(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const folder = folderOfTest();
  const access = join(folder, "access.json");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  writeFileSync(access, JSON.stringify({ url: `${origin}/v2/team/app/`, authorization: "Bearer t" }));
  return { asked, folder, origin, remote: podRemote(access), target: join(folder, "target") };
}

it("goes on where a download broke off", async () => {
  const half = text.length / 2;
  const { asked, remote, target, folder } = await registryOfTest((request, response) => {
    if (request.headers.range === undefined) {
      response.writeHead(200, { "content-length": text.length });
      response.write(text.slice(0, half), () => response.destroy());
    } else response.writeHead(206).end(text.slice(Number(/=(\d+)/.exec(request.headers.range)?.[1])));
  });
  await remote.fetch(content, target);
  expect(readFileSync(target, "utf8")).toBe(text);
  expect(asked.map(({ headers }) => headers.range !== undefined)).toEqual([false, true]);
  expect(readdirSync(folder).sort()).toEqual(["access.json", "target"]);
});

it.each([
  ["damaged", text.replace("0", "1")],
  ["too long", `${text}0`],
])("takes nothing for whole that is %s", async (_, sent) => {
  const { remote, target, folder } = await registryOfTest((_request, response) => void response.end(sent));
  await expect(remote.fetch(content, target)).rejects.toThrow(failureWith("content-lost", content.digest));
  expect(readdirSync(folder)).toEqual(["access.json"]);
});

it("names what is gone", async () => {
  const { asked, remote, target } = await registryOfTest((_, response) => void response.writeHead(404).end());
  await expect(remote.fetch(content, target)).rejects.toThrow(failureWith("content-lost", content.digest));
  expect(asked).toHaveLength(1);
});

it("gives its token to the registry alone", async () => {
  const store = await registryOfTest((_, response) => void response.end(text));
  const { asked, remote, target } = await registryOfTest((_, response) => {
    response.writeHead(307, { location: `${store.origin}/bucket/1` }).end();
  });
  await remote.fetch(content, target);
  expect(asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer t"]);
  expect(store.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

it("sends nothing that is there, and what is not there again after a fault", async () => {
  let stored = "";
  let isBroken = true;
  const { asked, remote, folder } = await registryOfTest((request, response) => {
    if (request.method === "HEAD") response.writeHead(stored === "" ? 404 : 200).end();
    else if (request.method === "POST") response.writeHead(202, { location: "/upload?state=1" }).end();
    else if (isBroken) {
      isBroken = false;
      request.once("data", () => request.destroy());
    } else {
      request.on("data", (chunk: Buffer) => {
        stored += chunk;
      });
      request.once("end", () => void response.writeHead(201).end());
    }
  });
  const source = join(folder, "source");
  writeFileSync(source, text);
  await remote.store?.(content, source);
  expect(stored).toBe(text);
  expect(asked.at(-1)?.url).toBe(`/upload?state=1&digest=${encodeURIComponent(content.digest)}`);
  const before = asked.length;
  await remote.store?.(content, source);
  expect(asked.slice(before).map(({ method }) => method)).toEqual(["HEAD"]);
});
