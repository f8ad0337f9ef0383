import { Agent, createServer, request } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepSpare, type SpareConnection } from "./spare-connection.ts";
import { listen } from "./testdata/listen.ts";

let port: number;
let connections: number;
let agent: Agent;
let spare: SpareConnection;
/** Called for each request; the answer waits for it. */
let hold: () => Promise<void>;
beforeEach(async () => {
  connections = 0;
  hold = async () => {};
  agent = new Agent({ keepAlive: true });
  const server = createServer((_, response) => void hold().then(() => response.end("x")));
  server.on("connection", () => connections++);
  port = await listen(server);
});
afterEach(() => {
  spare.close();
  agent.destroy();
});

const ask = () =>
  new Promise<void>((resolve, reject) => {
    const asking = request({ port, host: "127.0.0.1", agent }, (response) => response.resume().once("end", resolve));
    asking.once("error", reject).end();
  });

describe("keepSpare", () => {
  it("has a second connection made before two requests need it", async () => {
    spare = keepSpare(agent, 0);
    // The answer waits until the second connection has come.
    hold = async () => {
      while (connections < 2) await new Promise((resolve) => setImmediate(resolve));
    };
    await ask();
    await Promise.all([ask(), ask()]);
    expect(connections).toBe(2);
    await Promise.all([ask(), ask(), ask()]);
    expect(connections).toBe(3);
  });

  it("makes none to a host that is near", async () => {
    spare = keepSpare(agent, Number.POSITIVE_INFINITY);
    await ask();
    await ask();
    expect(connections).toBe(1);
  });

  it("lets a request go on without a spare that broke", async () => {
    spare = keepSpare(agent, 0);
    hold = async () => {
      while (connections < 2) await new Promise((resolve) => setImmediate(resolve));
    };
    await ask();
    spare.close();
    await Promise.all([ask(), ask()]);
    expect(connections).toBe(3);
  });
});
