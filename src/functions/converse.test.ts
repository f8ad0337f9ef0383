import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { converse } from "./converse.ts";
import { KeptCalls } from "./keep.ts";

it("ends the calls of a program that is gone before it has read its answers", async () => {
  const answered = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<boolean>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    const answer = (line: object) => void socket.write(`${JSON.stringify(line)}\n`, () => answered.resolve());
    const run = async (
      _: unknown,
      { signal, onOutcome }: { signal?: AbortSignal; onOutcome: (index: number, outcome: { status: number }) => void },
    ) => {
      onOutcome(0, { status: 0 });
      await once(signal as AbortSignal, "abort");
    };
    converse(
      { questions: socket, answer, output: () => {} },
      async () => ({ kind: "kubernetes", run }),
      new KeptCalls({}),
    ).then(ended.resolve, ended.reject);
  });
  const path = join(mkdtempSync(join(tmpdir(), "converse-")), "socket");
  server.listen(path);
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const program = connect(path);
  program.write(`${JSON.stringify({ batch: {} })}\n`);
  program.pause();
  await answered.promise;
  program.destroy();
  expect(await ended.promise).toBe(true);
});
