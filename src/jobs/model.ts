import type { JobResources } from "../config/resources.ts";
import type { Volumes } from "../config/volumes.ts";
import type { Digest } from "../oci/digest.ts";
import type { Matrix } from "./matrix.ts";

/**
 * What a job is: an interpreter, code for it, what runs, and how (SPEC section 2). Fields are named as in the documents that people
 * write, so that a deployment is the same data in YAML, JSON, TypeScript, Starlark and Python. Every default is filled in.
 */
export interface Deployment {
  readonly interpreter: Interpreter;
  /** Undefined: what the interpreter brings is enough. */
  readonly code?: Code;
  /** Arguments of the interpreter's image, or a program and its arguments. Either this or `function`. */
  readonly command?: readonly string[];
  /** `module:name` in Python, or the path of a TypeScript or JavaScript module whose default export is called. */
  readonly function?: string;
  /** What the function is called with. */
  readonly arguments?: readonly Json[];
  /** Variables of the job. They win over whatever the interpreter brings. `SECRET:NAME` is the value of a secret. */
  readonly environment: Readonly<Record<string, string>>;
  readonly resources: JobResources;
  /** Claims, and folders relative to the document, by where the job sees them. */
  readonly volumes?: Volumes;
  /**
   * What its container may reach: nothing, which is the default, or this machine's network as it is. Processes have the network of
   * their machine, pods that of their cluster.
   */
  readonly network?: "none" | "host";
  /** `os/architecture[/variant]` of container images. Default: Linux on this machine's processor. */
  readonly platform?: string;
  /** Seconds after which an attempt is ended. Default: none. */
  readonly time_limit?: number;
  /** How often a failed attempt is repeated. */
  readonly retries: number;
  /** Variables with lists of values: the job runs once for each combination of them. */
  readonly matrix?: Matrix;
  /** How many items of the matrix run at once. */
  readonly parallelism?: number;
  /** When the job runs, in cron's form: `0 3 * * *`. */
  readonly schedule?: string;
  /** Of the schedule. Default: that of the cluster. */
  readonly time_zone?: string;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** An interpreter as a deployment names it. The key says which kind it is. */
export type Interpreter =
  | { readonly ContainerAtTag: ContainerAtTag }
  | { readonly ImageTarget: ImageTarget }
  | { readonly PoetryProject: EnvironmentFolder }
  | { readonly CondaEnv: EnvironmentFile }
  | { readonly PipRequirements: EnvironmentFile }
  | ResolvedInterpreter;

/** An interpreter that is the same whenever it is asked for. */
export type ResolvedInterpreter =
  | { readonly ContainerAtDigest: ContainerAtDigest }
  | { readonly PoetryProject: EnvironmentFolder & Locked }
  | { readonly CondaEnv: EnvironmentFile & Locked }
  | { readonly PipRequirements: EnvironmentFile & Locked }
  | { readonly ServerAvailableInterpreter: ServerAvailableInterpreter };

export interface ContainerAtTag {
  /** With its registry, as engines write it. */
  readonly repository: string;
  readonly tag: string;
}

export interface ContainerAtDigest {
  readonly repository: string;
  readonly digest: Digest;
}

/** An image that this Bazel repository builds, by the label of its pipeline: interpreter and code in one. */
export interface ImageTarget {
  readonly target: string;
  /** Of the pipeline's `bases`. */
  readonly tag: string;
}

/** What an environment stands on. */
export interface EnvironmentGround {
  /** Version of Python, `3.12` or `3.12.1`. Default: the one that the machine or the base image has. */
  readonly python?: string;
  /**
   * The image that it stands on where it becomes one, `REGISTRY/NAME:TAG` or `REGISTRY/NAME@sha256:…`. In a lock always by its digest; a lock
   * without was made for processes. Default: see `defaultBase`.
   */
  readonly base?: string;
}

export interface EnvironmentFolder extends EnvironmentGround {
  /** Folder with `pyproject.toml` and `poetry.lock`, in the code. */
  readonly path: string;
}

export interface EnvironmentFile extends EnvironmentGround {
  /** The file, in the code. */
  readonly path: string;
}

export interface Locked {
  /** Of what the files of the environment hold. */
  readonly content: Digest;
}

export interface ServerAvailableInterpreter {
  /** Absolute path on the machine that runs the job, or {@link ownInterpreter}. */
  readonly interpreter_path: string;
}

/** The interpreter that Slipway itself runs on. */
export const ownInterpreter = "SLIPWAY_INTERPRETER";

/** Code as a deployment names it. */
export type Code = { readonly GitRepoBranch: GitRepoBranch } | ResolvedCode;

/** Code that is the same whenever it is asked for, as far as Slipway can know. */
export type ResolvedCode =
  | { readonly GitRepoCommit: GitRepoCommit }
  | { readonly ServerAvailableFolder: ServerAvailableFolder };

export interface GitRepoBranch {
  readonly repo_url: string;
  readonly branch: string;
  /** Folder in the repository from which the code is taken; `.` is its root. */
  readonly path_to_source: string;
}

export interface GitRepoCommit {
  readonly repo_url: string;
  /** All digits of it. */
  readonly commit: string;
  readonly path_to_source: string;
}

export interface ServerAvailableFolder {
  /** The first is the working directory, all are searched for modules. Relative ones are relative to the deployment's file. */
  readonly code_paths: readonly string[];
}

/** A deployment in which nothing is left to ask. */
export interface ResolvedDeployment extends Deployment {
  readonly interpreter: ResolvedInterpreter;
  readonly code?: ResolvedCode;
}
