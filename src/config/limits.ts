// Part of the public types of the package `slipway`, so it uses no Node types: programs may be checked without them.

/** The network of a container: `none`, or `host` for this machine's network. */
export type Network = "none" | "host";

/** Resource limits of one run. Omitted fields are not limited. */
export interface Resources {
  /** Number of CPUs; may be a fraction. */
  readonly cpu?: number;
  /** Memory: bytes, or a text such as `512MiB`. */
  readonly memory?: number | string;
  /** Number of GPUs. The run gets the first GPUs of the machine. */
  readonly gpu?: number;
  /**
   * Instance type of `config.yaml`, which has CPUs, memory, GPUs and, on Kubernetes, the nodes that may run it. The
   * other fields override those of the type.
   */
  readonly instanceType?: string;
}
