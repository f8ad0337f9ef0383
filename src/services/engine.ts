import type { Change } from "./change.ts";
import type { Revision } from "./history.ts";
import type { LogOptions } from "./log-options.ts";
import type { OpenOptions } from "./open-port.ts";
import type { NamedService, ServiceFile } from "./read.ts";
import type { ServiceStatus } from "./status.ts";

interface Notices {
  /** For people. */
  readonly notice: (text: string) => void;
}

interface ChangeOptions extends Notices {
  readonly onChange: (change: Change) => void;
}

interface WaitOptions extends Notices {
  /** Seconds to wait until the service is ready. Default: no wait. */
  readonly timeLimit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ApplyOptions extends ChangeOptions, WaitOptions {
  readonly isRolledBack: boolean;
}

/**
 * In containers of this machine, or a namespace of a cluster. A UserError says that there is no such service, a Failure
 * that it is not ready within the time limit.
 */
export interface ServiceEngine {
  /** Whether a wait ends when its signal aborts. Otherwise only the end of the process ends it. */
  readonly isAbortable: boolean;
  readonly afterInterrupt: string;
  plan(file: ServiceFile, options: Notices): Promise<readonly Change[]>;
  apply(file: ServiceFile, options: ApplyOptions): Promise<void>;
  statuses(names?: readonly string[]): Promise<readonly ServiceStatus[]>;
  logs(name: string, options: LogOptions & Notices, write: (lines: Buffer) => Promise<void>): Promise<void>;
  open(name: string, options: OpenOptions): Promise<void>;
  /** The oldest first. */
  history(name: string): Promise<readonly Revision[]>;
  /** Goes back to a revision, by default to the one before the current one, and returns its number. */
  rollBack(name: string, asked: number | undefined, options: ChangeOptions & WaitOptions): Promise<number>;
  /** @returns whether the restart is complete; otherwise the engine continues it */
  restart(name: string, options: WaitOptions): Promise<boolean>;
  /** Deletes nothing if a service does not exist. */
  delete(services: readonly NamedService[], options: ChangeOptions): Promise<void>;
}
