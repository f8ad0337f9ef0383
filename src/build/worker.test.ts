import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { serve, type WorkerOptions } from "./worker.ts";

/** Serves what `input` brings and gives the responses in their order. */
async function responses(
  input: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  run: WorkerOptions["run"],
  onResponse: (response: Record<string, unknown>) => void = () => {},
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  const respond = (line: string) => {
    expect(line.endsWith("\n")).toBe(true);
    const response = JSON.parse(line);
    found.push(response);
    onResponse(response);
  };
  await serve({
    input: (async function* () {
      yield* input;
    })(),
    respond,
    run,
  });
  return found;
}

const line = (request: object) => Buffer.from(`${JSON.stringify(request)}\n`);

describe("serve", () => {
  it("answers each request, however the input is cut", async () => {
    const bytes = Buffer.concat([1, 2, 3].map((requestId) => line({ requestId, arguments: [`größe ${requestId}`] })));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
        const seen: string[] = [];
        const found = await responses(pieces, async ([arg = ""]) => void seen.push(arg));
        expect(seen).toEqual(["größe 1", "größe 2", "größe 3"]);
        expect(found).toEqual([1, 2, 3].map((requestId) => ({ exitCode: 0, output: "", requestId })));
      }),
    );
  });

  it("works on several requests at once and answers those first that are done first", async () => {
    const { promise: secondIsDone, resolve: finishFirst } = Promise.withResolvers<void>();
    const input = [line({ requestId: 1, arguments: ["first"] }), line({ requestId: 2, arguments: ["second"] })];
    const open = withOpenEnd(input, 2);
    const found = await responses(
      open.input,
      ([arg]) => (arg === "first" ? secondIsDone : Promise.resolve()),
      (response) => {
        if (response["requestId"] === 2) finishFirst();
        open.answered();
      },
    );
    expect(found.map(({ requestId }) => requestId)).toEqual([2, 1]);
  });

  it("answers with what went wrong, and goes on", async () => {
    const found = await responses(
      [line({ requestId: 1, arguments: ["bad"] }), line({ requestId: 2 })],
      async ([arg]) => {
        if (arg === "bad") throw new UserError({ code: "file-invalid", culprit: "it" }, "It is wrong.", "Correct it.");
      },
    );
    expect(found).toEqual([
      { exitCode: 2, output: "It is wrong.\nCorrect it. [file-invalid]\n", requestId: 1 },
      { exitCode: 0, output: "", requestId: 2 },
    ]);
  });

  it("answers what is no request, and goes on", async () => {
    const input = [Buffer.from("{no json}\n\n17\n"), line({ requestId: 2 })];
    const found = await responses(input, async () => {});
    expect(found.map(({ exitCode, requestId }) => [exitCode, requestId])).toEqual([
      [1, 0],
      [1, 0],
      [0, 2],
    ]);
    expect(found[0]?.["output"]).toMatch("A work request is not JSON");
    expect(found[1]?.["output"]).toMatch("A work request must be a JSON object");
  });

  it("gives each request its own folder", async () => {
    const folders: string[] = [];
    await responses([line({ sandboxDir: "box/1" }), line({})], async (_args, { folder }) => void folders.push(folder));
    expect(folders).toEqual(["box/1", ""]);
  });

  it("stops a request that is cancelled, and says so", async () => {
    const open = withOpenEnd(
      [line({ requestId: 1 }), line({ requestId: 1, cancel: true }), line({ requestId: 9, cancel: true })],
      1,
    );
    const found = await responses(open.input, untilAborted, open.answered);
    expect(found).toEqual([{ exitCode: 0, output: "", requestId: 1, wasCancelled: true }]);
  });

  it("stops what is still running when the input ends", async () => {
    const found = await responses([line({ requestId: 1 })], untilAborted);
    expect(found).toEqual([{ exitCode: 0, output: "", requestId: 1, wasCancelled: true }]);
  });
});

const untilAborted: WorkerOptions["run"] = (_args, { signal }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });

/** An input that ends only after so many responses. */
function withOpenEnd(pieces: readonly Uint8Array[], expected: number) {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  return {
    input: (async function* () {
      yield* pieces;
      await promise;
    })(),
    answered: () => {
      count++;
      if (count === expected) resolve();
    },
  };
}
