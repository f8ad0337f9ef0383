import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "../../core/environment.ts";
import { scopedSignal } from "../../core/scoped-signal.ts";
import { WholeLines } from "../../core/whole-lines.ts";
import { type LogOptions, Prefixes } from "../log-options.ts";
import { containersOf, openContainers } from "./apply-file.ts";
import type { Containers, Found } from "./containers.ts";
import { replicaName } from "./facts.ts";

type Write = (lines: Buffer) => void | Promise<void>;

const interval = 1000;

export async function showServiceLogs(env: Environment, name: string, options: LogOptions, write: Write) {
  const containers = await openContainers(env);
  const found = await containersOf(containers, [name]);
  if (options.follow) await followLogs(containers, name, write, options);
  else await writeLogs(containers, found, write, options);
  options.signal?.throwIfAborted();
}

/** Each line has the container's name in front if there are several. */
export async function writeLogs(
  containers: Containers,
  found: readonly Found[],
  write: Write,
  { colors, ...options }: Omit<LogOptions, "follow"> = {},
): Promise<void> {
  const prefixes = new Prefixes(colors);
  await Promise.all(
    found.map(async (each) => {
      const streams = streamsOf(write, () => (found.length > 1 ? prefixes.of(replicaName(each)) : ""));
      await containers.logs(each.name, { ...options, follow: false }, (data, stream) => streams[stream].write(data));
      for (const stream of Object.values(streams)) await stream.end();
    }),
  );
}

export async function followLogs(
  containers: Containers,
  service: string,
  write: Write,
  { colors, signal, ...options }: Omit<LogOptions, "follow"> = {},
): Promise<void> {
  const prefixes = new Prefixes(colors);
  const followed = new Map<string, Promise<void>>();
  const replicas = new Set<number>();
  using scope = scopedSignal(signal);
  const all = scope.signal;
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const follow = async (id: string, found: Found) => {
    const streams = streamsOf(write, () => (replicas.size > 1 ? prefixes.of(replicaName(found)) : ""));
    await followOne(containers, id, found.startedAt, streams, { ...options, follow: true, signal: all });
    for (const stream of Object.values(streams)) await stream.end();
  };
  // A container and its successor may both be missing for a moment.
  for (let looksInVain = 0; looksInVain < 2; ) {
    // IDs, because a container that could not start has a successor of the same name.
    const ids = await containers.ids(service);
    const unseen = ids.filter((id) => !followed.has(id));
    const looked = await Promise.all(unseen.map(async (id) => ({ id, found: await containers.find(id) })));
    const fresh = looked.flatMap(({ id, found }) => (found === undefined ? [] : [{ id, found }]));
    // Counts all of them first, so that lines get their prefixes.
    for (const { found } of fresh) replicas.add(found.replica);
    for (const { id, found } of fresh) followed.set(id, follow(id, found).catch(failed.reject));
    looksInVain = ids.length === 0 ? looksInVain + 1 : 0;
    await Promise.race([delay(interval, undefined, { signal: all }), failed.promise]);
  }
  await Promise.race([Promise.all(followed.values()), failed.promise]);
}

/** Follows a container over its restarts. After each, the engine repeats all earlier output. */
async function followOne(
  containers: Containers,
  id: string,
  startedAt: string,
  streams: Readonly<Record<StreamName, WholeLines>>,
  options: LogOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  const written = { stdout: 0, stderr: 0 };
  let followed = startedAt;
  let shown = options;
  for (;;) {
    const told = { stdout: 0, stderr: 0 };
    await containers.logs(id, shown, async (data, stream) => {
      const known = Math.min(Math.max(written[stream] - told[stream], 0), data.length);
      told[stream] += data.length;
      await streams[stream].write(data.subarray(known));
    });
    // Shorter than before: the engine has dropped the start of the log.
    Object.assign(written, told);
    for (;;) {
      signal.throwIfAborted();
      const found = await containers.find(id);
      if (found === undefined) return;
      if (found.startedAt !== followed) {
        followed = found.startedAt;
        if (options.tail !== undefined) {
          // The last lines are others now: continue from the restart.
          shown = { ...options, tail: undefined, since: new Date(followed) };
          Object.assign(written, { stdout: 0, stderr: 0 });
        }
        break;
      }
      await delay(interval, undefined, { signal });
    }
  }
}

type StreamName = "stdout" | "stderr";

function streamsOf(write: Write, prefix: () => string): Readonly<Record<StreamName, WholeLines>> {
  return { stdout: new WholeLines(prefix, write), stderr: new WholeLines(prefix, write) };
}
