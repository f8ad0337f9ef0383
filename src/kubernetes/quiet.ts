import { heartbeat } from "../core/heartbeat.ts";

/** Tells people of a cluster that does not answer, for as long as it does not. */
export class Quiet {
  readonly #notice: (text: string) => void;
  readonly #what: string;
  #end: (() => void) | undefined;

  /** @param what goes on meanwhile, such as `the job goes on` */
  constructor(notice: (text: string) => void, what: string) {
    this.#notice = notice;
    this.#what = what;
  }

  get isQuiet(): boolean {
    return this.#end !== undefined;
  }

  /** To be told that there was no answer. */
  readonly onQuiet = (error: Error): void => {
    const words = `${error.message.split("\n", 1)[0]} Trying again; ${this.#what}.`;
    this.#end ??= heartbeat(words, { write: this.#notice });
  };

  /** To be told of an answer, or that nobody waits for one any more. */
  readonly answered = (): void => {
    this.#end?.();
    this.#end = undefined;
  };
}
