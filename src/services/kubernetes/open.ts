import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { mayPass, refusalOf } from "../../kubernetes/api-error.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { containerName } from "../../kubernetes/objects.ts";
import { joinPod } from "../../kubernetes/port-forward.ts";
import { chosenPort, connectTime, notReached, type OpenOptions, servePort, tellWaiting } from "../open-port.ts";
import { isPodReady, Observation, type Observed, podsOf } from "./observation.ts";
import { requireAll } from "./status.ts";

const interval = 250;

/** Prefers ready pods of the newest revision. Ends when the signal aborts. */
export async function openService(cluster: Cluster, name: string, options: OpenOptions): Promise<void> {
  const { signal, notice } = options;
  using observation = new Observation(cluster, [name], signal, notice);
  let turn = 0;
  /** Since when connections wait for a pod. */
  const waiting = new Map<Socket, number>();
  using _notices = tellWaiting(name, "pod", waiting, notice, () => observation.isQuiet);
  const join = async (client: Socket) => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(connectTime * 1000)]);
    let kept: readonly Buffer[] | undefined = [];
    const since = Date.now();
    for (let last: unknown; ; ) {
      if (client.destroyed) return;
      if (late.aborted) throw notReached(name, "pod", last);
      const pods = podsThatAnswer(observation.of(name));
      const pod = pods[turn++ % pods.length];
      if (pod === undefined) {
        waiting.set(client, since);
        await observation
          .change(late)
          .catch(() => {})
          .finally(() => waiting.delete(client));
        continue;
      }
      const port = portOf(observation.of(name), name, options.target);
      const place = { namespace: cluster.namespace, pod: pod.metadata.name, port };
      try {
        kept = await joinPod(cluster.api, place, client, kept);
        if (kept === undefined) return;
      } catch (error) {
        // The pod has ended, or does not run.
        const { status = 0 } = refusalOf(error) ?? {};
        if (!mayPass(error) && ![400, 404, 409, 500].includes(status)) throw error;
        last = error;
      }
      await delay(interval, undefined, { signal: late }).catch(() => {});
    }
  };
  await observation.ready(signal);
  const observed = observation.of(name);
  requireAll([name], new Set(observed.deployment ? [name] : []), cluster);
  const port = portOf(observed, name, options.target);
  if (podsThatAnswer(observed).length === 0) {
    notice(`${name}: no pod is ready; \`slipway service status ${name}\` says why. Connections wait for one.`);
  }
  await servePort(port, options, join);
}

function podsThatAnswer(observed: Observed) {
  const { current, old } = podsOf(observed);
  const ready = current.filter(isPodReady);
  return ready.length > 0 ? ready : old.filter(isPodReady);
}

function portOf({ deployment }: Observed, name: string, target: number | undefined): number {
  const container = deployment?.spec.template.spec.containers.find((each) => each.name === containerName);
  return chosenPort(container?.ports?.map(({ containerPort }) => containerPort) ?? [], name, target);
}
