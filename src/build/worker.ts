import { exitStatusOf, reportOf } from "../core/errors.ts";
import type { Context } from "./context.ts";

/** worker_protocol.proto, as JSON. */
interface WorkRequest {
  readonly arguments?: readonly string[];
  readonly requestId?: number;
  /** Cancels the request with this ID. */
  readonly cancel?: boolean;
  /** Folder of inputs and outputs, if the worker is multiplexed and sandboxed. */
  readonly sandboxDir?: string;
}

/** worker_protocol.proto, as JSON. */
interface WorkResponse {
  readonly exitCode: number;
  readonly output: string;
  readonly requestId: number;
  readonly wasCancelled?: boolean;
}

export interface WorkerOptions {
  /** One JSON message per line. */
  readonly input: AsyncIterable<Uint8Array>;
  readonly respond: (line: string) => void;
  readonly run: (args: readonly string[], context: Context) => Promise<void>;
}

/** Serves requests in parallel until the input ends, then aborts those still running. An error becomes its response. */
export async function serve(options: WorkerOptions): Promise<void> {
  const running = new Map<number, { readonly stop: AbortController; readonly done: Promise<void> }>();
  const respond = (response: WorkResponse) => options.respond(`${JSON.stringify(response)}\n`);

  try {
    for await (const line of lines(options.input)) {
      const request = parseRequest(line);
      if (typeof request === "string") {
        respond({ exitCode: 1, output: request, requestId: 0 });
        continue;
      }
      const requestId = request.requestId ?? 0;
      if (request.cancel) {
        running.get(requestId)?.stop.abort();
        continue;
      }
      const stop = new AbortController();
      const done = work(request, stop.signal).then((result) => {
        running.delete(requestId);
        respond({ ...result, requestId });
      });
      running.set(requestId, { stop, done });
    }
  } finally {
    for (const { stop } of running.values()) stop.abort();
    await Promise.all([...running.values()].map(({ done }) => done));
  }

  async function work(request: WorkRequest, signal: AbortSignal): Promise<Omit<WorkResponse, "requestId">> {
    try {
      await options.run(request.arguments ?? [], { folder: request.sandboxDir ?? "", signal });
      return { exitCode: 0, output: "" };
    } catch (error) {
      if (signal.aborted) return { exitCode: 0, output: "", wasCancelled: true };
      return { exitCode: exitStatusOf(error), output: `${reportOf(error)}\n` };
    }
  }
}

function parseRequest(line: string): WorkRequest | string {
  try {
    const request: unknown = JSON.parse(line);
    if (typeof request === "object" && request !== null) return request;
    return `A work request must be a JSON object.\nThis is ${line.slice(0, 80)}`;
  } catch (error) {
    return `A work request is not JSON: ${(error as Error).message}.\nStart the worker from Bazel, which writes one request per line.`;
  }
}

async function* lines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]).toString("utf8");
      parts = [];
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
}
