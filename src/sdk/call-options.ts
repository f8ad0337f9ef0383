import type { Network, Resources } from "../config/limits.ts";
import type { Volumes } from "../config/volumes.ts";

/** Options for running a function in this program's image. */
export interface CallOptions {
  /** Image to use: a key of the pipeline's `bases`. Default: `default`. */
  readonly tag?: string;
  /**
   * Environment variables to set in addition to the image's own. `SECRET:NAME` is the value of a secret of `slipway
   * secret`. Default: none.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Network of the container. Default: `none`. Pods always have the cluster's network. */
  readonly network?: Network;
  /** Resource limits of the container or pod. Default: no limits. */
  readonly resources?: Resources;
  /**
   * Claims and folders by the absolute path at which the function sees them: `{ "/data": { claim: "training-data" } }`.
   * On Kubernetes a PersistentVolumeClaim; on podman and docker a named volume, or a folder of this machine, relative
   * to where you called `bazel run`. The function may change what has `writable: true`. Default: none.
   */
  readonly volumes?: Volumes;
  /** How many times to retry a failed call, from 0 to 100. Default: 0. */
  readonly retries?: number;
  /** Timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout. */
  readonly timeLimit?: number | string;
  /**
   * Keep results in the registry, in the image's repository. A call whose function, arguments and version have a kept
   * result does not run. Failures are not kept. Needs an image. Default: false.
   */
  readonly keep?: boolean;
  /**
   * With `keep`: the version of the function. Change it when results are no longer right. Default: the image's layers.
   */
  readonly version?: string;
  /**
   * A worker of its own for each call: a new process, container or pod. Default: false, workers serve one call after
   * the other.
   */
  readonly fresh?: boolean;
  /** A worker ends after so many calls, and another one takes its place. Default: no limit. */
  readonly maxCalls?: number;
  /** How many calls a worker runs at once, for a function that waits for others. Default: 1. */
  readonly concurrency?: number;
  /**
   * The function takes a list of items, and returns a list with a result for each. A worker collects up to `size`
   * calls, and waits for them at most `wait` (seconds, or a text such as `20ms`) after the first one. Default: the
   * function takes single items.
   */
  readonly batch?: { readonly size: number; readonly wait?: number | string };
  /**
   * How long containers and pods wait for the next run of this program after its end, in seconds or as a text such as
   * `5m`. Default: they end with the program.
   */
  readonly keepWarm?: number | string;
}
