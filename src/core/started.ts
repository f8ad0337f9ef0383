import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Failure } from "./errors.ts";

/**
 * Waits until a process has started. Before, it may have no streams.
 *
 * @param program its path, for errors
 * @param remedy for a program that cannot be executed
 * @throws Failure when it cannot be started
 */
export async function started<Child extends ChildProcess>(
  child: Child,
  program: string,
  remedy: string,
): Promise<Child> {
  try {
    await once(child, "spawn");
    return child;
  } catch (cause) {
    const { message } = cause as Error;
    const isFull = /\b(EMFILE|ENFILE|EAGAIN)\b/.test(message);
    throw new Failure(
      { code: "program-failed", culprit: program },
      `${program} cannot be started: ${message}.`,
      isFull
        ? "Run fewer at once, or raise the limits of open files and processes (`ulimit -n`, `ulimit -u`)."
        : remedy,
      { cause },
    );
  }
}
