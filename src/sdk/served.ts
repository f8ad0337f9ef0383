import { closeSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { UserError } from "../core/errors.ts";
import { workerVariables } from "../functions/worker-variables.ts";

/** How this process is reached as a worker, by docs/worker-protocol.md. */
export interface Served {
  readonly channel: string;
  /** For a channel of `tcp`. */
  readonly token: string;
  /** Folder for the content of files; undefined: the engine has none. */
  readonly files: string | undefined;
  /** For channels other than `tcp`. */
  readonly input: NodeJS.ReadableStream | undefined;
  /** A promise settles when the data left this process. */
  readonly write: ((data: Buffer) => void | Promise<void>) | undefined;
  /** Settles when all that was written is on its way. */
  readonly drained?: () => Promise<void>;
}

/** Removes the variables, so that child processes are no workers. */
function begin(): Served {
  const take = (name: string) => {
    const value = process.env[name];
    delete process.env[name];
    return value;
  };
  take(workerVariables.version);
  const channel = take(workerVariables.channel) ?? "stdio";
  const rest = { channel, token: take(workerVariables.token) ?? "", files: take(workerVariables.files) };
  // PID 1 of a container ignores signals that it has no handler for.
  process.once("SIGTERM", () => process.exit(143));
  process.once("SIGINT", () => process.exit(130));
  if (channel.startsWith("tcp:")) return { ...rest, input: undefined, write: undefined };
  if (channel.startsWith("fd:")) {
    const [input, output] = channel
      .slice(3)
      .split(",")
      .map((fd) => new Socket({ fd: Number(fd) })) as [Socket, Socket];
    for (const socket of [input, output]) socket.on("error", () => process.exit(129));
    const drained = () => new Promise<void>((resolve) => output.end(resolve));
    return { ...rest, input, write: (data) => writeWhole(output, data), drained };
  }
  const output = takeOutput();
  return { ...rest, input: process.stdin, write: (data) => writeAll(output, data) };
}

/**
 * Makes descriptor 1 a copy of descriptor 2, and returns the output that it was. Node has no `dup2`, but a file that is
 * opened gets the lowest number that is free.
 */
function takeOutput(): number {
  try {
    const output = openSync("/proc/self/fd/1", "w");
    closeSync(1);
    if (openSync("/proc/self/fd/2", "a") === 1) return output;
  } catch {
    // Only what child processes print can then get between frames.
  }
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return 1;
}

function writeWhole(socket: Socket, data: Buffer): void | Promise<void> {
  let onSent = () => {};
  socket.write(data, () => onSent());
  if (socket.writableLength === 0) return undefined;
  return new Promise((resolve) => {
    onSent = resolve;
  });
}

function writeAll(output: number, data: Buffer): void {
  try {
    for (let at = 0; at < data.length; ) at += writeNow(output, data, at);
  } catch {
    // Nobody reads it.
    process.exit(129);
  }
}

function writeNow(output: number, data: Buffer, at: number): number {
  try {
    return writeSync(output, data, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}

/** Undefined: this process runs the program itself. */
export const served: Served | undefined = process.env[workerVariables.version] === undefined ? undefined : begin();

export function unknownFunction(name: string, functions: ReadonlyMap<string, unknown>, remedy: string): UserError {
  const known = [...functions.keys()].join(", ") || "none";
  return new UserError(
    { code: "function-failed", culprit: name },
    `${JSON.stringify(name)} is not a function of this program, which has ${known}.`,
    remedy,
  );
}
