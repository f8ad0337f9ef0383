import { describe, expect, it } from "vitest";
import type { JobEngine, LogChunk } from "../job/engine.ts";
import type { Program } from "../job/program.ts";
import { clusterOfTest, until } from "./testdata/cluster.ts";
import { pushShell } from "./testdata/image.ts";

function program(image: string, script: string, more: Partial<Program> = {}): Program {
  return {
    name: "shell",
    image,
    argv: [script],
    env: {},
    mounts: [],
    network: "none",
    stdin: "[]",
    isFunction: false,
    resources: {},
    retries: 0,
    ...more,
  };
}

async function textOf(log: AsyncIterable<LogChunk>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const { data } of log) pieces.push(data);
  return Buffer.concat(pieces).toString();
}

const run = async (engine: JobEngine, what: Program) => {
  const id = await engine.submit(what);
  const text = await textOf(engine.logs(id, { follow: true }));
  return { id, text, ...(await engine.collect(id)) };
};

describe("a job on Kubernetes", () => {
  it("runs as nobody in particular, in a file system it cannot change, and is found from elsewhere", async () => {
    const cluster = await clusterOfTest();
    const engine = cluster.engine();
    const image = await pushShell(cluster.registry);
    const script =
      "busybox id -u; echo $GREETING $HOME; touch /x 2>/dev/null || echo fixed; echo >/tmp/x && echo >$HOME/x && echo free; exit 3";
    const { id, text, status } = await run(engine, program(image, script, { env: { GREETING: "hello $HOME" } }));
    expect(text).toBe("1000\nhello $HOME /home/slipway\nfixed\nfree\n");
    expect(status).toMatchObject({ id, state: "failed", exitStatus: 3, attempts: 1 });
    await until(async () => (await cluster.engine().status(id)).ended, "the end");
    expect(await cluster.engine().list()).toEqual([expect.objectContaining({ id, state: "failed", exitStatus: 3 })]);
    expect(await textOf(cluster.engine().logs(id, { follow: false }))).toBe(text);
  });
});
