import { heartbeat } from "../core/heartbeat.ts";

export class Quiet {
  readonly #notice: (text: string) => void;
  readonly #what: string;
  #end: (() => void) | undefined;

  /** @param what such as `the job goes on` */
  constructor(notice: (text: string) => void, what: string) {
    this.#notice = notice;
    this.#what = what;
  }

  get isQuiet(): boolean {
    return this.#end !== undefined;
  }

  /** Call it when there was no answer. */
  readonly onQuiet = (error: Error): void => {
    const words = `${error.message.split("\n", 1)[0]} Trying again; ${this.#what}.`;
    this.#end ??= heartbeat(words, { write: this.#notice });
  };

  /** Call it after an answer, and at the end. */
  readonly answered = (): void => {
    this.#end?.();
    this.#end = undefined;
  };
}
