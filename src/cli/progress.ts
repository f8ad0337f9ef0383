import process from "node:process";
import { JsonProgress } from "../registry/client/json-progress.ts";
import { PushProgress } from "../registry/client/progress.ts";

export function progressOf(json: boolean): JsonProgress | PushProgress {
  if (json) return new JsonProgress((line) => process.stdout.write(line));
  return new PushProgress({
    // Bytes, since the drawing has commands to the terminal.
    write: (text) => process.stderr.write(Buffer.from(text)),
    terminal: () => {
      const { isTTY, columns, rows } = process.stderr;
      return isTTY ? { columns, rows } : undefined;
    },
  });
}
