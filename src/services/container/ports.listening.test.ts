import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { listeningPorts } from "./ports.ts";

it.runIf(process.platform === "linux")("finds the ports that others reach, and no others", async () => {
  const listening = async (host: string) => {
    const server = createServer().listen(0, host);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const [open, own] = [await listening("0.0.0.0"), await listening("127.0.0.1")];
  const ports = await listeningPorts(process.pid);
  expect(ports.has(open)).toBe(true);
  expect(ports.has(own)).toBe(false);
  expect((await listeningPorts(0)).size).toBe(0);
});
