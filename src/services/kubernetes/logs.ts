import { heartbeat, patience } from "../../core/heartbeat.ts";
import { scopedSignal } from "../../core/scoped-signal.ts";
import { WholeLines } from "../../core/whole-lines.ts";
import { podLog } from "../../kubernetes/logs.ts";
import { containerName, containerState, type Pod } from "../../kubernetes/objects.ts";
import { type LogOptions, Prefixes } from "../log-options.ts";
import type { Place } from "./apply.ts";
import { hasBegun, Observation } from "./observation.ts";
import { requireAll } from "./status.ts";

interface ClusterLogOptions extends LogOptions {
  readonly notice: (text: string) => void;
}

/** With the pod's name before each line if there are several. Calls `write` with whole lines, one call at a time. */
export async function showServiceLogs(
  place: Place & { readonly context: string },
  name: string,
  options: ClusterLogOptions,
  write: (lines: Buffer) => Promise<void>,
): Promise<void> {
  const { follow, signal, tail, since, timestamps } = options;
  const prefixes = new Prefixes(options.colors);
  using scope = scopedSignal(signal);
  const all = scope.signal;
  using observation = new Observation(place, [name], all, options.notice);
  const begun = new Map<string, Promise<void>>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let turn = Promise.resolve();
  const inTurn = (lines: Buffer) => {
    turn = turn.then(() => write(lines));
    return turn;
  };
  const find = (podName: string) => observation.of(name).pods.find(({ metadata }) => metadata.name === podName);

  const show = async (podName: string) => {
    const lines = new WholeLines(() => (begun.size > 1 ? prefixes.of(podName) : ""), inTurn);
    const isOver = () => !follow || hasEnded(find(podName));
    const isIdle = () => {
      const pod = find(podName);
      return pod !== undefined && containerState(pod).running === undefined;
    };
    const change = () => observation.change(all);
    const pod = { namespace: place.namespace, name: podName };
    const shown = { tail, since, timestamps };
    for await (const piece of podLog(place.api, pod, { ...shown, follow, isOver, isIdle, change, signal: all })) {
      await lines.write(piece);
    }
    await lines.end();
  };

  let idleSince: number | undefined;
  using _notices = heartbeat(
    () => {
      const { pods } = observation.of(name);
      const isRunning = pods.some((pod) => containerState(pod).running !== undefined);
      idleSince = isRunning ? undefined : (idleSince ?? Date.now());
      if (!follow || observation.isQuiet || idleSince === undefined) return undefined;
      const words = `Waiting for a pod of ${name} that runs; \`slipway service status ${name}\` says why there is none`;
      return { words, since: idleSince };
    },
    { after: patience, write: options.notice },
  );
  await observation.ready(all);
  const { deployment, pods } = observation.of(name);
  requireAll([name], new Set(deployment || pods.length > 0 ? [name] : []), place);
  for (;;) {
    const { deployment, pods } = observation.of(name);
    const fresh = pods.filter((pod) => !begun.has(pod.metadata.name) && hasBegun(pod, containerName));
    // Registers all of them first, so that lines get their prefixes.
    for (const { metadata } of fresh) begun.set(metadata.name, Promise.resolve());
    for (const { metadata } of fresh) begun.set(metadata.name, show(metadata.name).catch(failed.reject));
    if (!follow || (deployment === undefined && pods.length === 0)) break;
    await Promise.race([observation.change(all), failed.promise]);
  }
  await Promise.race([Promise.all(begun.values()), failed.promise]);
  await turn;
}

function hasEnded(pod: Pod | undefined): boolean {
  if (pod === undefined) return true;
  const { phase } = pod.status ?? {};
  const isEnding = pod.metadata.deletionTimestamp !== undefined && containerState(pod).running === undefined;
  return isEnding || phase === "Succeeded" || phase === "Failed";
}
