import type { Writable } from "node:stream";
import type { Network } from "../config/limits.ts";
import type { PlacedResources } from "../config/resources.ts";
import type { Sink } from "../core/flow.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";

export interface Run {
  readonly programArguments: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** All of its standard input. Default: empty. */
  readonly stdin?: string;
  /** Gets its standard input instead, which stays open; again if it has to start another time. */
  readonly onStdin?: (stdin: Writable) => void;
  readonly onStdout: Sink;
}

export interface ContainerRun extends Run {
  readonly image: RunnableImage;
  readonly entrypoint?: string;
  readonly network: Network;
  readonly resources: PlacedResources;
  readonly mounts?: readonly Mount[];
  readonly workingDir?: string;
  /** Its standard streams are this process's, and nothing is kept from it that the engine gives to containers. */
  readonly attached?: Attached;
}

export interface Attached {
  /** Standard input and output are a terminal. */
  readonly isTerminal: boolean;
  /** Further options of `podman run` or `docker run`. */
  readonly options: readonly string[];
}

/** A folder of this machine and where a container sees it, both absolute. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  /** The source is the name of a volume of the engine. */
  readonly isVolume?: boolean;
  /** Default: the container may not change it. */
  readonly isWritable?: boolean;
}
