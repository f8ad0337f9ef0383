import type { ServiceFile } from "../../services/read.ts";
import { userPath } from "./user-path.ts";

/** The options that select services. */
export interface FileOptions {
  readonly file: string;
  readonly image?: string | undefined;
  readonly called?: string | undefined;
}

export function fileOf({ file, image, called = file }: FileOptions): ServiceFile {
  return { path: userPath(file), name: called, ...(image === undefined ? {} : { image }) };
}
