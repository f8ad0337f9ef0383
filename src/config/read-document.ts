import { createReadStream } from "node:fs";
import { buffer } from "node:stream/consumers";
import { UserError } from "../core/errors.ts";
import { maximumDocument } from "./document.ts";

/** @throws UserError if the file cannot be read, is larger than `maximum` bytes or is no text */
export async function readDocument(
  path: string,
  name: string,
  what = "job",
  maximum = maximumDocument,
): Promise<string> {
  // It may never end: /dev/zero.
  const bytes = await buffer(createReadStream(path, { end: maximum })).catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === "ENOENT" ? "does not exist" : `cannot be read (${cause.code})`;
    const identity = { code: "file-unreadable", culprit: name } as const;
    throw new UserError(identity, `${name} ${problem}.`, `Name the file of a ${what}.`, { cause });
  });
  const invalid = { code: "file-invalid", culprit: name } as const;
  if (bytes.length > maximum) {
    throw new UserError(
      invalid,
      `${name} has more than ${maximum} bytes, the most that a ${what} may have.`,
      "Make it smaller: move data into separate files.",
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(invalid, `${name} is not text in UTF-8.`, "Save it as UTF-8.", { cause });
  }
}
