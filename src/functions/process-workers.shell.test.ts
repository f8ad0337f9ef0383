import { expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { ProcessWorkers } from "./process-workers.ts";
import { callAll } from "./testdata/batch.ts";

/** Workers that are a shell script, which only knows docs/worker-protocol.md. */
function shellWorkers() {
  const env = { PATH: process.env["PATH"] ?? "", HOME: temporaryFolder() };
  const command = ["bash", "src/functions/testdata/worker.sh"];
  const program = {
    env,
    command,
    directory: process.cwd(),
    process: 1,
    arguments: 0,
    path: "worker.sh",
    columns: null,
  };
  return new ProcessWorkers(program, undefined);
}

it("serves calls in another language", async () => {
  const inputs = Array.from({ length: 500 }, (_, index) => [`ä${index}`]);
  const { outcomes } = await callAll(shellWorkers(), inputs, { name: "shout", parallelism: 2 });
  expect(outcomes).toEqual(inputs.map((_, index) => ({ value: `ä${index}` })));
});

it("has its output, errors and exit status", async () => {
  const says = await callAll(shellWorkers(), [["one"], ["two"]], { name: "says", parallelism: 1 });
  expect(says).toEqual({ outcomes: [{ value: null }, { value: null }], output: "[says 0] one\n[says 1] two\n" });
  const [unknown] = (await callAll(shellWorkers(), [[]], { name: "other" })).outcomes;
  expect(unknown).toMatchObject({ error: { name: "Error", message: "no function other" } });
  const { outcomes } = await callAll(shellWorkers(), [["a"], ["7"]], { name: "exits", isMap: true, parallelism: 1 });
  expect(outcomes[1]).toMatchObject({ error: { message: expect.stringContaining("status 7") } });
});
