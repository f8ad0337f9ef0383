import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { onLines } from "../core/lines.ts";
import { started } from "../core/run-program.ts";
import { fromWire, type WireError } from "../core/wire-error.ts";
import type { Digest } from "../oci/digest.ts";
import { helperVariable } from "./calls.ts";

/** Content to move to or from a repository. Keep python/slipway/_files.py the same. */
export interface FileRequest {
  readonly id: number;
  readonly action: "store" | "fetch";
  readonly image: string;
  readonly digest: Digest;
  readonly size: number;
  /** Undefined, to store content that is not on this machine. */
  readonly path?: string;
}

export interface FileAnswer {
  readonly id: number;
  readonly error?: WireError;
}

type Waiting = Omit<PromiseWithResolvers<void>, "promise">;
type Helper = ChildProcessByStdio<Writable, Readable, null>;

/** The helper starts with the first request and ends with this process. */
export class FileClient {
  readonly #env: Environment;
  readonly #waiting = new Map<number, Waiting>();
  #helper: Promise<Helper> | undefined;
  #last = 0;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Without a helper, nothing reaches a registry. */
  get isThere(): boolean {
    return Boolean(this.#env[helperVariable]);
  }

  /** @throws UserError or Failure of the registry, or if the helper ends */
  async ask(request: Omit<FileRequest, "id">): Promise<void> {
    this.#helper ??= this.#start();
    const child = await this.#helper;
    this.#last += 1;
    const id = this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.set(id, { resolve, reject });
    hold(child, true);
    child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
    await promise.finally(() => {
      this.#waiting.delete(id);
      // This program may end while its helper waits for requests.
      if (this.#waiting.size === 0) hold(child, false);
    });
  }

  async #start(): Promise<Helper> {
    const path = this.#env[helperVariable] ?? "";
    const child = spawn(path, ["files"], { env: this.#env, stdio: ["pipe", "pipe", "inherit"] });
    await started(child, path, "Build the pipeline's target again.");
    child.stdin.on("error", () => {});
    onLines(child.stdout, (line) => {
      const { id, error } = JSON.parse(line) as FileAnswer;
      const waiting = this.#waiting.get(id);
      if (error === undefined) waiting?.resolve();
      else waiting?.reject(fromWire(error) ?? new Error(error.message));
    });
    child.once("close", (status) => {
      this.#helper = undefined;
      const problem = `${path} ended with status ${status} before it had moved a file.`;
      const error = new Failure({ code: "program-failed", culprit: path }, problem, "Look at what it printed above.");
      for (const { reject } of this.#waiting.values()) reject(error);
    });
    return child;
  }
}

function hold(child: Helper, isHeld: boolean): void {
  for (const part of [child, child.stdin, child.stdout] as unknown as { ref(): void; unref(): void }[]) {
    if (isHeld) part.ref();
    else part.unref();
  }
}
