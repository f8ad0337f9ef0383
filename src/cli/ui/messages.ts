import type { ListedJob } from "../../jobs/engine.ts";
import type { RunEvent } from "../../runs/events.ts";
import type { RecordedRun, RunItem } from "../../runs/fold.ts";
import type { Revision } from "../../services/history.ts";
import type { ServiceStatus } from "../../services/status.ts";
import type { TreeAnswer } from "../image/tree/page-data.ts";

export type Counts = Readonly<Record<RunItem["state"], number>>;

export interface RunLine
  extends Pick<
    RecordedRun,
    "id" | "program" | "engine" | "images" | "commit" | "state" | "status" | "started" | "ended"
  > {
  readonly counts: Counts;
}

export interface JobLine extends Omit<ListedJob, "items"> {
  readonly items?: Omit<NonNullable<ListedJob["items"]>, "failures">;
}

/** Messages of the addresses below `/api/live`. */
export interface LiveMessages {
  readonly runs: { readonly runs: readonly RunLine[] };
  readonly jobs: { readonly jobs: readonly JobLine[]; readonly notice?: string };
  readonly run: { readonly events: readonly RunEvent[]; readonly isAlive: boolean };
  readonly job: { readonly job?: Omit<JobLine, "name" | "engine" | "user">; readonly log?: string };
  readonly services: { readonly services: readonly ServiceStatus[] };
}

export interface LayerLine {
  readonly digest: string;
  readonly size: number;
  readonly comment: string;
}

export interface ImageAnswer {
  readonly name: string;
  readonly digest: string;
  readonly platform: string;
  readonly layers: readonly LayerLine[];
}

export interface FileDifference {
  readonly path: string;
  readonly before?: number;
  readonly after?: number;
}

export interface DiffAnswer {
  readonly one: ImageAnswer;
  readonly other: ImageAnswer;
  readonly files: readonly FileDifference[];
  readonly count: number;
}

export interface RepositoryLine {
  readonly name: string;
  readonly tags: number;
  readonly manifests: number;
  readonly size: number;
  readonly own: number;
}

/** Answers of the addresses below `/api` that end after one message. */
export interface Answers {
  readonly history: readonly Revision[];
  readonly images: readonly {
    readonly repository: string;
    readonly tag?: string;
    readonly digest: string;
    readonly size: number;
  }[];
  readonly image: ImageAnswer;
  readonly diff: DiffAnswer;
  readonly tree: TreeAnswer;
  readonly registry: { readonly host: string; readonly size: number; readonly repositories: readonly RepositoryLine[] };
}
