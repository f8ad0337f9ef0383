/** Events of a program's calls, one per line, as JSON. `at` is in milliseconds since 1970. */
export type RunEvent = { readonly at: number } & (
  | { readonly run: RunStart }
  | { readonly batch: BatchStart }
  | { readonly item: ItemChange }
  | { readonly output: { readonly batch: string; readonly text: string } }
  /** The file is as large as it may become. Later events are missing, but for the end. */
  | { readonly full: true }
  /** Workers wait for the next run, until then, as long as that process runs. */
  | { readonly warm: { readonly until: number; readonly process: number } }
  | { readonly end: { readonly status: number } }
);

/** The first event of every file. Neither arguments nor variables are in it, since they may be secret. */
export interface RunStart {
  readonly version: 1;
  /** Label of the pipeline; for a program that was not started by one, its path. */
  readonly program: string;
  readonly arguments: number;
  readonly engine: string;
  /** `HOST/REPOSITORY@sha256:…` */
  readonly images: readonly string[];
  /** The commit that its workspace had. */
  readonly commit?: string;
  readonly process: number;
  /** When the process began, as /proc has it: numbers of processes are used again. Empty: not known. */
  readonly began: string;
}

/** Calls of one function: `CallBatch` in src/functions/calls.ts. */
export interface BatchStart {
  readonly id: string;
  readonly name: string;
  readonly after: readonly string[];
  readonly items: number;
  readonly isMap: boolean;
}

export interface ItemChange {
  readonly batch: string;
  readonly index: number;
  /** `kept`: a result was there, and it did not run. */
  readonly state: "running" | "done" | "failed" | "kept";
  /** Pod and node, or container. */
  readonly where?: string;
  /** How many times it ran, at most. Default: 1. */
  readonly runs?: number;
  /** The first line. */
  readonly error?: string;
  /** The beginning of the result, for people. */
  readonly result?: string;
}

/** The folder of the files, below the folder for state. */
export const runsFolder = "runs";
/** Bytes that a file may take. */
export const maximumFile = 16 * 1024 * 1024;
/** Bytes of output in a file. */
export const maximumOutput = 4 * 1024 * 1024;
/** Characters of an error. */
export const maximumError = 500;
/** Characters of a result. */
export const maximumResult = 200;
/** Files that stay when a new run begins, the newest. */
export const maximumRuns = 200;
/** Bytes that all files may take when a new run begins. */
export const maximumBytes = 256 * 1024 * 1024;
