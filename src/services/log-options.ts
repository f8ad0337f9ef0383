import { prefixOf } from "../core/whole-lines.ts";

export interface LogOptions {
  /** Until the service is gone or `signal` aborts, with later pods and containers. */
  readonly follow: boolean;
  /** The last lines of each pod or container. Default: all. */
  readonly tail?: number | undefined;
  readonly since?: Date | undefined;
  readonly timestamps?: boolean | undefined;
  readonly colors?: boolean | undefined;
  readonly signal?: AbortSignal;
}

/** The prefixes of lines, `[NAME] `. Each name keeps its first colour. */
export class Prefixes {
  readonly #isColored: boolean;
  readonly #colors = new Map<string, number>();

  constructor(isColored = false) {
    this.#isColored = isColored;
  }

  of(name: string): string {
    if (!this.#isColored) return prefixOf(name);
    const color = this.#colors.get(name) ?? this.#colors.size;
    this.#colors.set(name, color);
    return prefixOf(name, color);
  }
}
