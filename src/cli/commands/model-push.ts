import process from "node:process";
import { formatBytes } from "../../config/quantity.ts";
import { userPath } from "../../core/user-path.ts";
import { type PushedModel, pushModel } from "../../models/push.ts";
import { parseModelReference, placeOfModel } from "../../models/registry.ts";
import { JsonProgress } from "../../registry/client/json-progress.ts";
import type { PushProgress } from "../../registry/client/progress.ts";
import { openWritable } from "../../registry/writable.ts";
import { runningRegistry } from "../../registry-server/running.ts";
import { command } from "../command.ts";
import { progressOf } from "../progress.ts";
import { optionError } from "../usage-error.ts";
import { flag, required } from "./options.ts";

export const push = command(
  {
    id: required("Model ID: lower-case letters, digits, . _ - and /"),
    folder: required("Folder with the model's files"),
    json: flag("Print one JSON object per event, sizes in bytes; the last one has the version"),
  },
  async ({ id: text, folder, json }) => {
    const { id, digest } = parseModelReference(text);
    if (digest !== undefined) {
      throw optionError(
        text,
        `${text} names a version.`,
        `Push to ${id}, without a digest: the digest of a new version follows from its files.`,
      );
    }
    using registry = await openWritable({ embedded: runningRegistry });
    const progress = progressOf(json);
    try {
      const pushed = await pushModel(placeOfModel(registry, id), {
        folder: userPath(folder),
        name: folder,
        onEvent: progress.onEvent,
        onRead: (files, bytes) => {
          if (!json && process.stderr.isTTY) process.stderr.write(`reading ${files} files, ${formatBytes(bytes)}\n`);
        },
      });
      progress.finish();
      tell(id, pushed, progress);
    } finally {
      progress.finish();
    }
  },
);

function tell(id: string, { digest, outcome, files, size }: PushedModel, progress: JsonProgress | PushProgress): void {
  if (progress instanceof JsonProgress) {
    progress.say({ event: "model", id, digest, outcome, files, size });
    return;
  }
  if (outcome === "unchanged") process.stderr.write("the registry has this version as the newest already\n");
  process.stdout.write(`${id}@${digest}\n`);
}
