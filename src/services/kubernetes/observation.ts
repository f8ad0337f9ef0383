import { Changes } from "../../core/changes.ts";
import { inOrder } from "../../jobs/kubernetes/status.ts";
import type { Metadata, Pod } from "../../kubernetes/objects.ts";
import { Quiet } from "../../kubernetes/quiet.ts";
import { type Selection, watchAll } from "../../kubernetes/watch.ts";
import type { Place } from "./apply.ts";
import { pathOf, serviceLabel } from "./manifest.ts";
import type { Deployment, Observed, ReplicaSet } from "./workload.ts";

/** Watches services and their pods. */
export class Observation {
  #deployments: ReadonlyMap<string, Deployment> | undefined;
  #replicaSets: ReadonlyMap<string, ReplicaSet> | undefined;
  #pods: ReadonlyMap<string, Pod> | undefined;
  readonly #changes = new Changes();
  readonly #closing = new AbortController();
  readonly #quiet: Quiet;

  constructor(
    { api, namespace }: Place,
    names: readonly string[],
    signal: AbortSignal | undefined,
    notice: (text: string) => void,
  ) {
    const all = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    const labelSelector = selectorFor(names);
    this.#quiet = new Quiet(notice, "services go on");
    const follow = <Item extends { readonly metadata: Metadata }>(
      path: string,
      keep: (items: ReadonlyMap<string, Item>) => void,
    ) => {
      const selection: Selection = { path, labelSelector };
      watchAll<Item>(api, selection, { signal: all, quiet: this.#quiet }, (items) => {
        keep(new Map(items));
        this.#changes.wake();
      }).then(
        () => this.#changes.wake(),
        (error: unknown) => this.#changes.fail(error),
      );
    };
    follow<Deployment>(pathOf("Deployment", namespace), (items) => {
      this.#deployments = items;
    });
    follow<ReplicaSet>(replicaSetsPath(namespace), (items) => {
      this.#replicaSets = items;
    });
    follow<Pod>(podsPath(namespace), (items) => {
      this.#pods = items;
    });
    signal?.addEventListener("abort", () => this.#changes.wake(), { once: true, signal: this.#closing.signal });
  }

  /** Settles once every list has arrived. */
  async ready(signal?: AbortSignal): Promise<void> {
    while (!this.#deployments || !this.#replicaSets || !this.#pods) await this.change(signal);
  }

  change(signal?: AbortSignal): Promise<void> {
    return this.#changes.next(signal);
  }

  of(name: string): Observed {
    return observedOf(
      name,
      [...(this.#deployments?.values() ?? [])],
      [...(this.#replicaSets?.values() ?? [])],
      [...(this.#pods?.values() ?? [])],
    );
  }

  get isQuiet(): boolean {
    return this.#quiet.isQuiet;
  }

  close(): void {
    this.#quiet.answered();
    this.#closing.abort();
  }
}

/** Selects one service, or all if there are several names or one that no label can hold. */
export function selectorFor(names: readonly string[]): string {
  const [name = ""] = names;
  return /^[-a-z0-9]+$/.test(name) && names.length === 1 ? `${serviceLabel}=${name}` : serviceLabel;
}

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

export function replicaSetsPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/replicasets`;
}

export function observedOf(
  name: string,
  deployments: readonly Deployment[],
  replicaSets: readonly ReplicaSet[],
  pods: readonly Pod[],
): Observed {
  const isOf = ({ metadata }: { readonly metadata: Metadata }) => metadata.labels?.[serviceLabel] === name;
  return {
    deployment: deployments.find((each) => isOf(each) && each.metadata.name === name),
    replicaSets: replicaSets.filter(isOf),
    pods: inOrder(pods.filter(isOf)),
  };
}
