import { it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { ProcessWorkers } from "./process-workers.ts";
import { chaos, seeds, startCounter } from "./testdata/chaos.ts";

const program = "src/sdk/testdata/program.ts";

it.each(seeds(2))(
  "no call is lost or runs unseen when processes are killed: seed %i",
  { timeout: 120_000 },
  async (seed) => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: temporaryFolder() };
    const described = { env, command: [process.execPath, program, "none"], directory: process.cwd() };
    const engine = new ProcessWorkers(
      { ...described, process: 1, arguments: 0, path: program, columns: null },
      undefined,
    );
    const counter = await startCounter();
    const kill = async ({ pid }: { readonly pid: number }) => {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    };
    await chaos(seed, engine, `http://127.0.0.1:${counter.port}`, counter, { kill }, {});
  },
);
