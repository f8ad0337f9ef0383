import type { Json } from "./json.ts";

/** The interpreter that Slipway itself runs on, as `interpreter_path`. */
export const SLIPWAY_INTERPRETER = "SLIPWAY_INTERPRETER";

/**
 * A job, as its YAML document has it: what is left out has the defaults that docs/jobs.md lists. What is wrong in it is told when it is resolved
 * or run.
 */
export interface Deployment {
  readonly interpreter: JobInterpreter;
  /** What is needed beyond the interpreter. */
  readonly code?: JobCode;
  /** Arguments of the image, or a program with its arguments. */
  readonly command?: readonly string[];
  /** Instead of a command: `module:name` in Python, or the path of a module whose default export is called. */
  readonly function?: string;
  /** What the function is called with. */
  readonly arguments?: readonly Json[];
  /** Variables of the job, over all others. */
  readonly environment?: Readonly<Record<string, string>>;
  /** `memory`: bytes, or a text such as `512MiB`. */
  readonly resources?: { readonly cpu?: number; readonly memory?: number | string; readonly gpu?: number };
  /** What its container may reach. Default: nothing. */
  readonly network?: "none" | "host";
  /** `os/architecture` of the container image. Default: Linux on this machine's processor. */
  readonly platform?: string;
  /** Seconds, or a text such as `1h30m`. Default: none. */
  readonly time_limit?: number | string;
  /** How often a failed attempt is repeated. Default: 0. */
  readonly retries?: number;
}

/** An interpreter. The key says which kind it is. */
export type JobInterpreter =
  | { readonly ContainerAtTag: { readonly repository: string; readonly tag?: string } }
  | { readonly ContainerAtDigest: { readonly repository: string; readonly digest: string } }
  | { readonly ImageTarget: { readonly target: string; readonly tag?: string } }
  | { readonly PoetryProject: { readonly path?: string; readonly python?: string; readonly base?: string } }
  | { readonly CondaEnv: { readonly path?: string; readonly python?: string; readonly base?: string } }
  | { readonly PipRequirements: { readonly path?: string; readonly python?: string; readonly base?: string } }
  | { readonly ServerAvailableInterpreter: { readonly interpreter_path: string } };

/** Code for an interpreter. The key says which kind it is. */
export type JobCode =
  | {
      readonly GitRepoBranch: { readonly repo_url: string; readonly branch?: string; readonly path_to_source?: string };
    }
  | { readonly GitRepoCommit: { readonly repo_url: string; readonly commit: string; readonly path_to_source?: string } }
  | { readonly ServerAvailableFolder: { readonly code_paths: readonly string[] } };
