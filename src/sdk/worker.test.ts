import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Frame, Frames, startWorker } from "./testdata/worker.ts";

const program = "src/sdk/testdata/worker-program.ts";

async function started() {
  const worker = startWorker(program);
  onTestFinished(() => void worker.child.kill("SIGKILL"));
  worker.frames.writer.send({ type: "attach", protocol: 1 });
  expect(await worker.frames.next()).toMatchObject({ type: "hello", protocol: 1, received: 0, replies: 0 });
  return worker;
}

describe("a worker", () => {
  it("serves many calls in their order, and ends when it is told to", async () => {
    const { frames, ended } = await started();
    for (let id = 1; id <= 500; id += 1) frames.call(id, "square", id);
    for (let id = 1; id <= 500; id += 1)
      expect(await frames.next()).toMatchObject({ type: "result", id, text: `${id * id}` });
    frames.writer.send({ type: "end" });
    expect(await ended).toEqual([0, null]);
  });

  it("replies with an error, names unknown functions, and goes on", async () => {
    const { frames } = await started();
    frames.call(1, "fails");
    frames.call(2, "subtract");
    frames.call(3, "square", 3);
    frames.call(4, "main()");
    expect(JSON.parse((await frames.next()).text)).toMatchObject({ name: "TypeError", message: "no" });
    expect(JSON.parse((await frames.next()).text)).toMatchObject({
      name: "UserError",
      code: "function-failed",
      culprit: "subtract",
    });
    expect(await frames.next()).toMatchObject({ type: "result", id: 3, text: "9" });
    expect(await frames.next()).toMatchObject({ type: "result", id: 4, text: '"the program"' });
  });

  it("begins no call before the reply to the last one is on its way", async () => {
    const { frames, ended } = await started();
    // It does not fit into the channel at once.
    const data = Buffer.alloc(4 * 1024 * 1024);
    frames.writer.send({ type: "call", id: 1, function: "bytes" }, [
      Buffer.from('[{"$slipway":"bytes","at":1}]'),
      data,
    ]);
    frames.call(2, "exits", 7);
    expect(await frames.next()).toMatchObject({ type: "result", id: 1 });
    expect(await ended).toEqual([7, null]);
  });

  it("gives calls back that it has not begun", async () => {
    const { frames } = await started();
    frames.call(1, "together", "a");
    expect(await frames.next()).toMatchObject({ type: "output", id: 1 });
    frames.call(2, "square", 2);
    frames.call(3, "square", 3);
    frames.writer.send({ type: "revoke", ids: [1, 2] });
    const came = [];
    while (came.length < 3) {
      const { type, id, ids } = (await frames.next()) as Frame & { id?: number; ids?: readonly number[] };
      if (type !== "output") came.push([type, id ?? ids]);
    }
    // A busy machine may give it back late.
    expect(came.sort()).toEqual([
      ["result", 1],
      ["result", 3],
      ["revoked", [2]],
    ]);
  });

  it("runs several calls at once, and tells their output apart", async () => {
    const { frames } = await started();
    for (const [index, name] of ["a", "b", "c", "d"].entries()) frames.call(index + 1, "together", name);
    const outputs = new Map<number, string>();
    const order: string[] = [];
    for (let replies = 0; replies < 4; ) {
      const frame = await frames.next();
      if (frame.type === "output") outputs.set(frame.id, (outputs.get(frame.id) ?? "") + frame.text);
      if (frame.type === "result") replies += 1;
      order.push(`${frame.type} ${"id" in frame ? frame.id : ""}`);
    }
    expect([...outputs.values()]).toEqual(["a", "b", "c", "d"].map((name) => `began ${name}\nended ${name}\n`));
    // The fourth one begins when one of the three has ended.
    expect(order.slice(0, 3)).toEqual(["output 1", "output 2", "output 3"]);
    expect(order.indexOf("output 4")).toBeGreaterThan(order.findIndex((each) => each.startsWith("result")));
  });

  it("sets a function's state up once, and tears it down at the end", async () => {
    const { frames, ended, errors } = await started();
    for (const id of [1, 2, 3]) frames.call(id, "state", id);
    const results = [await frames.next(), await frames.next(), await frames.next()];
    expect(results.map(({ text }) => text)).toEqual(["101", "103", "106"]);
    frames.writer.send({ type: "end" });
    expect(await ended).toEqual([0, null]);
    expect(errors()).toBe("torn down at 106\n");
  });

  it("hands lists of items to a function that takes batches", async () => {
    const { frames } = await started();
    for (let id = 1; id <= 6; id += 1) frames.call(id, "batched", id);
    expect(await frames.next()).toMatchObject({ type: "started", ids: [1, 2, 3, 4] });
    for (let id = 1; id <= 4; id += 1) expect(await frames.next()).toMatchObject({ id, text: `[${id},4]` });
    expect(await frames.next()).toMatchObject({ type: "started", ids: [5, 6] });
    for (let id = 5; id <= 6; id += 1) expect(await frames.next()).toMatchObject({ id, text: `[${id},2]` });
    frames.call(7, "short", 7);
    expect(await frames.next()).toMatchObject({ type: "started", ids: [7] });
    expect(JSON.parse((await frames.next()).text).message).toContain("returned 0 results for a batch of 1 items");
  });

  it("fails the item of a batch that cannot be read, and no other", async () => {
    const { frames } = await started();
    frames.call(1, "batched", "a");
    frames.writer.send({ type: "call", id: 2, function: "batched" }, [Buffer.from('[{"$slipway":"bytes","at":9}]')]);
    expect(await frames.next()).toMatchObject({ type: "started", ids: [1, 2] });
    expect(await frames.next()).toMatchObject({ type: "error", id: 2 });
    expect(await frames.next()).toMatchObject({ type: "result", id: 1, text: '["a",1]' });
  });

  it("takes and gives bytes beside the JSON", async () => {
    const { frames } = await started();
    const args = Buffer.from('[{"$slipway":"bytes","at":1}]');
    frames.writer.send({ type: "call", id: 1, function: "bytes" }, [args, Buffer.from([65, 66])]);
    expect(await frames.next()).toMatchObject({ type: "result", text: '{"$slipway":"bytes","at":1}|BC' });
  });

  it("ends with the status that a function exits with, and when whoever called is gone", async () => {
    const one = await started();
    one.frames.call(1, "exits", 7);
    expect(await one.ended).toEqual([7, null]);
    const other = await started();
    other.frames.call(1, "waits", 600_000);
    other.frames.close();
    expect(await other.ended).toEqual([129, null]);
  });

  it("ends on what is no frame", async () => {
    for (const hostile of ["[]\n", '{"type":"call","id":1,"sizes":[-1]}\n', `{"type":"${"x".repeat(70_000)}`]) {
      const { child, ended } = await started();
      (child.stdio[3] as NodeJS.WritableStream).write(hostile);
      expect(await ended).toEqual([129, null]);
    }
  });
});

describe("a worker of a pod", () => {
  async function listening() {
    const port = await freePort();
    const env = {
      ...process.env,
      SLIPWAY_WORKER: "1",
      SLIPWAY_WORKER_CHANNEL: `tcp:${port}`,
      SLIPWAY_WORKER_TOKEN: "secret",
    };
    const child = spawn(process.execPath, [program], { env, stdio: ["ignore", "ignore", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let log = "";
    child.stderr.on("data", (data) => {
      log += data;
    });
    const attach = async (token = "secret") => {
      for (;;) {
        const socket = connect(port, "127.0.0.1");
        try {
          await once(socket, "connect");
          const frames = new Frames(socket);
          frames.writer.send({ type: "attach", protocol: 1, token });
          return frames;
        } catch {
          // It does not listen yet.
        }
      }
    };
    return { attach, log: () => log, child };
  }

  it("loses no call and no reply when the connection breaks", async () => {
    const { attach } = await listening();
    const first = await attach();
    expect(await first.next()).toMatchObject({ type: "hello", received: 0 });
    first.call(1, "square", 1);
    first.call(2, "square", 2);
    first.call(3, "waits", 100);
    expect(await first.next()).toMatchObject({ id: 1 });
    expect(await first.next()).toMatchObject({ id: 2 });
    first.writer.send({ type: "ack", replies: 1 });
    first.writer.flush();
    const second = await attach();
    expect(await second.next()).toMatchObject({ type: "hello", received: 3, replies: 1 });
    expect(await second.next()).toMatchObject({ type: "result", id: 2, text: "4" });
    expect(await second.next()).toMatchObject({ type: "result", id: 3, text: "100" });
  });

  it("says again after a break which calls it gave back, until a later reply is acknowledged", async () => {
    const { attach } = await listening();
    const first = await attach();
    await first.next();
    first.call(1, "waits", 200);
    first.call(2, "square", 2);
    first.writer.send({ type: "revoke", ids: [2] });
    expect(await first.next()).toMatchObject({ type: "revoked", ids: [2] });
    first.writer.send({ type: "ack", replies: 0 });
    first.writer.flush();
    const second = await attach();
    expect(await second.next()).toMatchObject({ type: "hello", received: 2, replies: 0 });
    expect(await second.next()).toMatchObject({ type: "revoked", ids: [2] });
    expect(await second.next()).toMatchObject({ type: "result", id: 1 });
    second.writer.send({ type: "ack", replies: 1 });
    second.writer.flush();
    const third = await attach();
    expect(await third.next()).toMatchObject({ type: "hello", replies: 1 });
    third.call(3, "batched", 1);
    expect(await third.next()).toMatchObject({ type: "started", ids: [3] });
  });

  it("ends on what is no frame, unless it comes from a stranger", async () => {
    const { attach, child } = await listening();
    const helper = await attach();
    expect(await helper.next()).toMatchObject({ type: "hello" });
    const stranger = await attach("guess");
    stranger.raw("[]\n");
    await expect(stranger.next()).rejects.toThrow("closed the channel");
    helper.call(1, "square", 3);
    expect(await helper.next()).toMatchObject({ text: "9" });
    const ended = once(child, "close");
    helper.raw("[]\n");
    expect(await ended).toEqual([129, null]);
  });

  it("closes a connection with another token", async () => {
    const { attach } = await listening();
    await expect((await attach("guess")).next()).rejects.toThrow("closed the channel");
    expect(await (await attach()).next()).toMatchObject({ type: "hello" });
  });

  it("has a log that people can read", async () => {
    const { attach, log } = await listening();
    const frames = await attach();
    frames.call(1, "together", "a");
    for (let frame = await frames.next(); frame.type !== "result"; ) frame = await frames.next();
    await expect.poll(log).toBe("[together 1] began a\n[together 1] ended a\n");
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
