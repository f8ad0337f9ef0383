import { prefixOf } from "../core/whole-lines.ts";

/** The part of a log that is shown, and how. */
export interface LogOptions {
  /** Until the service is gone or `signal` aborts, with what starts later; otherwise what there is. */
  readonly follow: boolean;
  /** Lines of each pod or container, the last ones. Default: all. */
  readonly tail?: number | undefined;
  /** Nothing older than this. */
  readonly since?: Date | undefined;
  /** Whether each line begins with the time when it was printed. */
  readonly timestamps?: boolean | undefined;
  /** Whether the name before a line has a colour of its own. */
  readonly colors?: boolean | undefined;
  readonly signal?: AbortSignal;
}

/** The words before lines of several pods or containers: `[NAME] `, each name in the colour that it got first. */
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
