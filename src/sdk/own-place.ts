import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure, UserError } from "../core/errors.ts";
import { removedAtEnd } from "../core/interrupts.ts";
import { isRunning } from "../core/processes.ts";
import { cacheFolder } from "../core/user-folders.ts";
import { FileClient } from "../functions/file-client.ts";
import type { Digest } from "../oci/digest.ts";
import { type Content, FilePlace } from "./file-place.ts";
import { accessFile, podRemote } from "./pod-files.ts";
import { servedCall } from "./serving.ts";

/** Milliseconds after which the folder of a program that is gone is removed. */
const abandonedAfter = 60 * 60_000;

export const fileClient = new FileClient(process.env);

/** The images in whose repositories content is that came from calls. */
export const origins = new Map<Digest, string>();

let place: FilePlace | undefined;

export function ownPlace(): FilePlace {
  place ??= servedCall === undefined ? placeOfProgram() : placeOfCall(servedCall.files);
  return place;
}

/** The folder that calls on this machine see. Undefined if this user can have none: only files need it. */
export function folderForFiles(): string | undefined {
  try {
    return ownPlace().folder;
  } catch {
    return undefined;
  }
}

function placeOfCall(folder: string | undefined): FilePlace {
  if (folder === undefined) {
    throw new UserError(
      { code: "engine-unavailable", culprit: "files" },
      "This engine cannot hand on files, folders and values above 8 MiB.",
      "Use an engine on this machine, or a cluster whose pods reach the registry. docs/functions.md says how.",
    );
  }
  if (!existsSync(join(folder, accessFile))) return new FilePlace(folder, { fetch: async (content) => lost(content) });
  const own = mkdtempSync(join(tmpdir(), "slipway-files-"));
  return new FilePlace(own, podRemote(join(folder, accessFile)));
}

function placeOfProgram(): FilePlace {
  return new FilePlace(folderOfProgram(), {
    fetch: async (content, path) => {
      const image = origins.get(content.digest);
      if (image === undefined || !fileClient.isThere) return lost(content);
      await fileClient.ask({ action: "fetch", image, ...content, path });
    },
  });
}

/** A folder that only this user can enter, and the users of containers can write to. It goes with the program. */
function folderOfProgram(): string {
  const all = join(cacheFolder(), "files");
  mkdirSync(all, { recursive: true });
  chmodSync(all, 0o700);
  removeAbandoned(all);
  const folder = mkdtempSync(join(all, `${process.pid}-`));
  removedAtEnd(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o777);
  return folder;
}

function removeAbandoned(all: string): void {
  for (const name of readdirSync(all)) {
    const folder = join(all, name);
    const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age < abandonedAfter || isRunning(Number.parseInt(name, 10))) continue;
    rmSync(folder, { recursive: true, force: true });
  }
}

function lost({ digest }: Content): never {
  throw new Failure(
    { code: "content-lost", culprit: digest },
    `The content ${digest} of a function's file is not on this machine, and was not stored in a registry.`,
    "Call the function that made it again.",
  );
}
