import { userPath } from "../../core/user-path.ts";
import type { ServiceFile } from "../../services/read.ts";

/** The options that select services. */
export interface FileOptions {
  readonly file: string;
  readonly image?: string | undefined;
  readonly called?: string | undefined;
}

export function fileOf({ file, image, called = file }: FileOptions): ServiceFile {
  return { path: userPath(file), name: called, ...(image === undefined ? {} : { image }) };
}
