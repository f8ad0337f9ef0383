import type { Network, Resources } from "../engine/limits.ts";

/** How a function runs in this program's image. */
export interface CallOptions {
  /** Which of the program's images; by default `default`. */
  readonly tag?: string;
  /** The environment variables that the function sees besides the image's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** `none` by default; `host` is this machine's network. Pods have the cluster's, whatever this says. */
  readonly network?: Network;
  /** Limits of a container or pod; none by default. */
  readonly resources?: Resources;
}
