import { exitStatusOf, reportOf } from "../core/errors.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { SegmentCache } from "../layer/segment-cache.ts";
import type { Context } from "./context.ts";
import { readInput } from "./files.ts";

/** `tool @flagfile` runs one command, `tool --persistent_worker` serves requests: one code, the same bytes. */
export async function runTool(
  args: readonly string[],
  run: (args: readonly string[], context: Context) => Promise<void>,
): Promise<void> {
  reportUncaught();
  if (args.includes("--persistent_worker")) return serveRequests(run);

  // An aborted command removes its temporary files.
  const stop = new AbortController();
  onTermination(() => stop.abort());
  try {
    await run(expandFlagFiles(args), { folder: "", cache: new SegmentCache(), signal: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) return;
    process.stderr.write(`${reportOf(error)}\n`);
    process.exitCode = exitStatusOf(error);
  }
}

async function serveRequests(run: (args: readonly string[], context: Context) => Promise<void>): Promise<void> {
  const { serve } = await import("./worker.ts");
  const cache = new SegmentCache();
  // Only responses may go to standard output.
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  let terminated = false;
  onTermination(() => {
    terminated = true;
    process.stdin.destroy();
  });
  try {
    await serve({
      input: process.stdin,
      respond: (line) => write(line),
      run: (args, context) => run(args, { ...context, cache }),
    });
  } catch (error) {
    if (!terminated) throw error;
  }
}

function onTermination(stop: () => void): void {
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
    process.once(signal, () => {
      process.exitCode = 128 + number;
      stop();
    });
  }
}

/** As Bazel writes it (`Args.set_param_file_format("multiline")`). */
function expandFlagFiles(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    if (!arg.startsWith("@")) return [arg];
    return readInput(arg.slice(1)).toString("utf8").replace(/\n$/, "").split("\n");
  });
}
