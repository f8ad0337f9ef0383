import type { BenchContext } from "../context.ts";
import { interleave, type Result, resultOf, run } from "../measure.ts";

/** Case 8: how long the command line takes to say anything. */
export async function startupCase(context: BenchContext): Promise<Result> {
  context.tell("slipway --help");
  const samples = await interleave(
    {
      ours: { run: () => void run([context.slipway, "--help"]) },
      floor: { run: () => void run([process.execPath, "-e", "0"]) },
    },
    3 * context.rounds,
  );
  return resultOf("help", samples, "at most 40 ms above node -e 0", (time, least) => time - least <= 0.04);
}
