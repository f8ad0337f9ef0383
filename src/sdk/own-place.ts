import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure, UserError } from "../core/errors.ts";
import { removedAtEnd } from "../core/interrupts.ts";
import { isRunning } from "../core/processes.ts";
import { cacheFolder } from "../core/user-folders.ts";
import { type Content, FilePlace } from "./file-place.ts";
import type { Helper } from "./helper.ts";
import { accessFile, podRemote } from "./pod-files.ts";
import { served } from "./served.ts";

/** Milliseconds after which the folder of a program that is gone is removed. */
const abandonedAfter = 60 * 60_000;

let place: FilePlace | undefined;
/** The helper whose folder {@link place} is. */
let helperOf: Helper | undefined;

export function ownPlace(): FilePlace {
  place ??=
    served === undefined
      ? new FilePlace(folderOfProgram(), { fetch: async (content) => lost(content) })
      : placeOfCall(served.files);
  return place;
}

/** Uses the folder that the workers of a helper see. */
export function useFolder(helper: Helper): void {
  const { files } = helper.ready;
  if (files === undefined || helper === helperOf) return;
  const before = place;
  helperOf = helper;
  place = new FilePlace(files, {
    fetch: async (content, path) => {
      if (before?.has(content)) await copyFile(before.pathOf(content), path);
      else await helper.fetch(content);
    },
  });
}

/** Removes what a call has made for itself. */
export function clearScratch(): void {
  place?.clear();
}

function placeOfCall(folder: string | undefined): FilePlace {
  if (folder === undefined) {
    throw new UserError(
      { code: "engine-unavailable", culprit: "files" },
      "This engine cannot hand on files, folders and values above 16 MiB.",
      "Use an engine on this machine, or a cluster whose pods reach the registry. docs/functions.md says how.",
    );
  }
  if (!existsSync(join(folder, accessFile))) return new FilePlace(folder, { fetch: async (content) => lost(content) });
  const own = mkdtempSync(join(tmpdir(), "slipway-files-"));
  return new FilePlace(own, podRemote(join(folder, accessFile)));
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
