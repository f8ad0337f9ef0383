// Generated from src/jobs/schema.ts by `node docs/generate/update-job.ts`.

import type { Volumes } from "../config/volumes.ts";
import type { Json } from "./json.ts";

/** An `interpreter_path`: the Node that runs Slipway. */
export const SLIPWAY_INTERPRETER = "SLIPWAY_INTERPRETER";

/** A job, with the same fields as in a job's YAML file. Slipway checks it when you resolve or run it. */
export interface Deployment {
  /** The program or environment that runs the job. */
  readonly interpreter: JobInterpreter;
  /**
   * The code to run. Required for environments from files, not allowed for `ImageTarget`. Default, also
   * `null`: none.
   */
  readonly code?: JobCode | null;
  /** Arguments for the image's entrypoint, or a program with its arguments. */
  readonly command?: readonly string[];
  /**
   * The function to call instead of a command: `module:name` in Python, or the path of a TypeScript or
   * JavaScript module with a default export.
   */
  readonly function?: string;
  /** Positional arguments of the function. Default: none. */
  readonly arguments?: readonly Json[];
  /** Environment variables of the job. They override all others. `SECRET:NAME` is the value of a secret. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Limits of the job. Default: none. */
  readonly resources?: {
    /** Number of CPUs. */
    readonly cpu?: number;
    /** Bytes, or a text such as `512MiB`. */
    readonly memory?: number | string;
    /** Number of GPUs. */
    readonly gpu?: number;
    /** An instance type of `config.yaml`, which the other fields override. */
    readonly instance_type?: string;
  };
  /**
   * Claims and folders by the absolute path at which the job sees them, such as `{"/data": {"claim":
   * "training-data"}}`. It may change those that are `writable`. Folders are relative to the folder of the
   * job, and not for Kubernetes. Default: none.
   */
  readonly volumes?: Volumes;
  /**
   * Network of the container, `none` or `host`. Default: `none`. Processes have this machine's, pods their
   * cluster's.
   */
  readonly network?: "none" | "host";
  /** Platform of the container image, `os/architecture`. Default: Linux on this machine's processor. */
  readonly platform?: string;
  /** Timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout. */
  readonly time_limit?: number | string;
  /** How many times to retry a failed attempt, from 0 to 100. Default: 0. */
  readonly retries?: number;
  /**
   * On Kubernetes: variables with lists of values. The command runs once for each combination, as the items
   * of one job.
   */
  readonly matrix?: Readonly<Record<string, readonly (string | number | boolean)[]>>;
  /** How many items of `matrix` run at once. Default: 50. */
  readonly parallelism?: number;
  /** On Kubernetes: when to run, in cron's form, such as `0 3 * * *`. */
  readonly schedule?: string;
  /** Time zone of `schedule`, such as `Europe/Berlin`. Default: that of the cluster. */
  readonly time_zone?: string;
}

/** An interpreter. The key names its kind. */
export type JobInterpreter =
  | { readonly ContainerAtTag: { readonly repository: string; readonly tag?: string } }
  | { readonly ContainerAtDigest: { readonly repository: string; readonly digest: string } }
  | { readonly ImageTarget: { readonly target: string; readonly tag?: string } }
  | { readonly PoetryProject: { readonly path?: string; readonly python?: string; readonly base?: string } }
  | { readonly CondaEnv: { readonly path?: string; readonly python?: string; readonly base?: string } }
  | { readonly PipRequirements: { readonly path?: string; readonly python?: string; readonly base?: string } }
  | { readonly ServerAvailableInterpreter: { readonly interpreter_path: string } };

/** Code for an interpreter. The key names its kind. */
export type JobCode =
  | {
      readonly GitRepoBranch: { readonly repo_url: string; readonly branch?: string; readonly path_to_source?: string };
    }
  | { readonly GitRepoCommit: { readonly repo_url: string; readonly commit: string; readonly path_to_source?: string } }
  | { readonly ServerAvailableFolder: { readonly code_paths: readonly string[] } };
