import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { servePort } from "./open-port.ts";

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return (server.address() as AddressInfo).port;
}

it("takes another port where the service's is taken, and none where one was asked for", async () => {
  const port = await takenPort();
  const over = new AbortController();
  const urls: string[] = [];
  const common = { signal: over.signal, notice: () => {} };
  const onUrl = (url: string) => {
    urls.push(url);
    over.abort();
  };
  await expect(servePort(port, { ...common, onUrl, port }, async () => {})).rejects.toThrow(
    failureWith("port-taken", String(port)),
  );
  await expect(servePort(port, { ...common, onUrl }, async () => {})).rejects.toThrow("abort");
  expect(urls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/)]);
  expect(urls[0]).not.toContain(`:${port}/`);
});
