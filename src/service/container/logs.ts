import { containersOf, openContainers } from "./apply-file.ts";
import type { Containers, Found } from "./containers.ts";
import { replicaName } from "./labels.ts";

type Write = (lines: Buffer) => void | Promise<void>;

/**
 * Writes what the containers of a service have printed.
 *
 * @throws UserError when it has none
 */
export async function showServiceLogs(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  options: { readonly follow: boolean; readonly signal?: AbortSignal },
  write: Write,
): Promise<void> {
  const containers = await openContainers(env);
  await writeLogs(containers, await containersOf(containers, [name]), options, write);
  options.signal?.throwIfAborted();
}

/** Writes what containers have printed, each line after the container's name where there are several; with `follow` until all are gone. */
export async function writeLogs(
  containers: Containers,
  found: readonly Found[],
  options: { readonly follow: boolean; readonly signal?: AbortSignal },
  write: Write,
): Promise<void> {
  await Promise.all(
    found.map(async (each) => {
      const prefix = found.length > 1 ? `[${replicaName(each)}] ` : "";
      const streams = { stdout: new Lines(prefix, write), stderr: new Lines(prefix, write) };
      await containers.logs(each.name, options, (data, stream) => streams[stream].write(data));
      for (const stream of Object.values(streams)) stream.end();
    }),
  );
}

/** Passes on whole lines alone, so that those of several containers do not mix. */
class Lines {
  readonly #prefix: Buffer;
  readonly #write: Write;
  #rest = Buffer.alloc(0);

  constructor(prefix: string, write: Write) {
    this.#prefix = Buffer.from(prefix);
    this.#write = write;
  }

  write(data: Buffer): void {
    let rest = Buffer.concat([this.#rest, data]);
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      this.#write(Buffer.concat([this.#prefix, rest.subarray(0, end + 1)]));
      rest = rest.subarray(end + 1);
    }
    this.#rest = rest;
  }

  end(): void {
    if (this.#rest.length > 0) this.#write(Buffer.concat([this.#prefix, this.#rest, Buffer.from("\n")]));
    this.#rest = Buffer.alloc(0);
  }
}
