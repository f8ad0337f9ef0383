import { UserError } from "../core/errors.ts";
import type { LaunchRequest, RequestedImage } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

/**
 * The tags that an image gets: those of the target or of its file, with the values of the build status in place of `{NAME}`.
 *
 * @throws UserError for a variable that the build status does not have, and for any in a build without `--stamp`
 */
export function remoteTags(image: RequestedImage, request: LaunchRequest, runfiles: Runfiles): string[] {
  const { remoteTagsFile: file } = image;
  const written = file === undefined ? image.remoteTags : words(runfiles.read(file).toString("utf8"));
  let status: ReadonlyMap<string, string> | undefined;
  const replaced = written.map((tag) =>
    tag.replace(/\{([^{}]*)\}/g, (_, name: string) => {
      status ??= buildStatus(request, runfiles, tag);
      return status.get(name) ?? unknown(name, tag, request, status);
    }),
  );
  return [...new Set(replaced)];
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** What the command of `--workspace_status_command` printed, and what Bazel adds: a line each, name and value. */
function buildStatus({ buildStatus: files, target }: LaunchRequest, runfiles: Runfiles, tag: string) {
  if (files.length === 0) {
    throw new UserError(
      `Tag ${JSON.stringify(tag)} of ${target} has a variable of the build status, and the build is not stamped.`,
      "Give --stamp to Bazel: bazel run --stamp TARGET.",
    );
  }
  const lines = files.flatMap((file) => runfiles.read(file).toString("utf8").split("\n"));
  return new Map(lines.map((line) => /^(\S*) ?(.*)$/.exec(line)?.slice(1) as [string, string]));
}

function unknown(name: string, tag: string, { target }: LaunchRequest, status: ReadonlyMap<string, string>): never {
  const known = [...status.keys()].filter((each) => each !== "").sort();
  throw new UserError(
    `Tag ${JSON.stringify(tag)} of ${target}: the build status has no variable ${JSON.stringify(name)}.`,
    `Let the command of --workspace_status_command print it, or take one of ${known.join(", ")}.`,
  );
}
