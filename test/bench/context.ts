import type { PeerRegistry } from "./registries.ts";

/** What every case gets. */
export interface BenchContext {
  /** Folder of Slipway's sources. */
  readonly repository: string;
  /** Folder of the release archive's content: what users have of Slipway. */
  readonly release: string;
  /** Folder for all that is made; removed at the end. */
  readonly scratch: string;
  /** Number of rounds that are counted. */
  readonly rounds: number;
  readonly registry: PeerRegistry;
  /** The script that starts Slipway's command line. */
  readonly slipway: string;
  /** The script that starts the tool of build actions. */
  readonly buildTool: string;
  /** For people, on standard error. */
  tell(text: string): void;
}
