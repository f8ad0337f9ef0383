import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { removedAtEnd } from "../core/interrupts.ts";
import { lost, makeFilesFolder } from "../functions/files-folder.ts";
import { FilePlace, type Remote } from "./file-place.ts";
import type { Helper } from "./helper.ts";
import { accessFile, podRemote } from "./pod-files.ts";
import { served } from "./served.ts";

/** Content is on this machine, or nowhere. */
const nowhere: Remote = { fetch: ({ digest }) => Promise.reject(lost(digest)) };

let place: FilePlace | undefined;
/** The helper whose folder {@link place} is. */
let helperOf: Helper | undefined;

export function ownPlace(): FilePlace {
  place ??= served === undefined ? new FilePlace(folderOfProgram(), nowhere) : placeOfCall(served.files);
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
  if (!existsSync(join(folder, accessFile))) return new FilePlace(folder, nowhere);
  const own = mkdtempSync(join(tmpdir(), "slipway-files-"));
  return new FilePlace(own, podRemote(join(folder, accessFile)));
}

/** It goes with the program. */
function folderOfProgram(): string {
  const folder = makeFilesFolder(process.env);
  removedAtEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
