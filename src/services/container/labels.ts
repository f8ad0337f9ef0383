import type { Facts } from "./facts.ts";

export const serviceLabel = "slipway/service";

const replicaLabel = "slipway/replica";
const hashLabel = "slipway/hash";
const factsLabel = "slipway/facts";

/** A part of a label's value. Lines of a label file may have 64 KiB, and a character up to four bytes. */
const part = /.{1,15000}/gsu;

export interface Labelled {
  readonly service: string;
  readonly replica: number;
  readonly hash: string;
  readonly facts: Facts;
}

/** Lines for `--label-file`. JSON has no line breaks. */
export function labelFile({ service, replica, hash, facts }: Labelled): string {
  const parts = JSON.stringify(facts).match(part) ?? [];
  const labels = {
    "app.kubernetes.io/managed-by": "slipway",
    [serviceLabel]: service,
    [replicaLabel]: replica,
    [hashLabel]: hash,
    ...Object.fromEntries(parts.map((text, index) => [partLabel(index), text])),
  };
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** `slipway/facts`, `slipway/facts.1` and so on. */
function partLabel(index: number): string {
  return index === 0 ? factsLabel : `${factsLabel}.${index}`;
}

/** Undefined: somebody else wrote the labels. */
export function readLabels(labels: Readonly<Record<string, string>>): Labelled | undefined {
  const service = labels[serviceLabel];
  const replica = Number(labels[replicaLabel] ?? Number.NaN);
  const hash = labels[hashLabel];
  if (service === undefined || hash === undefined || !Number.isInteger(replica)) return undefined;
  let text = "";
  for (let index = 0; labels[partLabel(index)] !== undefined; index += 1) text += labels[partLabel(index)];
  try {
    return { service, replica, hash, facts: JSON.parse(text) as Facts };
  } catch {
    return undefined;
  }
}

/** For people. */
export function replicaName({ service, replica }: Pick<Labelled, "service" | "replica">): string {
  return `${service}-${replica}`;
}

/** Has a hash of the facts, so that a container can exist beside its predecessor. */
export function containerNameOf(labelled: Pick<Labelled, "service" | "replica" | "hash">): string {
  return `slipway-${replicaName(labelled)}-${labelled.hash}`;
}
