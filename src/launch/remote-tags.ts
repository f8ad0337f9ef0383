import { type BuildStatus, parseBuildStatus, statusRemedy } from "../core/build-status.ts";
import { UserError } from "../core/errors.ts";
import type { LaunchRequest, RequestedImage } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

/** The tags of an image, with `{NAME}` replaced by values of the build status. @throws UserError */
export function remoteTags(image: RequestedImage, request: LaunchRequest, runfiles: Runfiles): string[] {
  const { remoteTagsFile: file } = image;
  const written = file === undefined ? image.remoteTags : (runfiles.read(file).toString("utf8").match(/\S+/g) ?? []);
  const described = (tag: string) => `Tag ${JSON.stringify(tag)} of ${image.target ?? request.target}`;
  let status: BuildStatus | undefined;
  const replaced = written.map((tag) =>
    tag.replace(/\{([^{}]*)\}/g, (_, name: string) => {
      status ??= buildStatus(request, runfiles, described(tag));
      return status.get(name) ?? unknown(name, described(tag), request, status);
    }),
  );
  return [...new Set(replaced)];
}

function buildStatus({ buildStatus: files, target }: LaunchRequest, runfiles: Runfiles, what: string): BuildStatus {
  if (files.length === 0) {
    throw new UserError(
      { code: "target-invalid", culprit: target },
      `${what} has a variable of the build status, and the build is not stamped.`,
      `Stamp the build: bazel run --stamp ${target}.`,
    );
  }
  return parseBuildStatus(files.map((file) => runfiles.read(file).toString("utf8")));
}

function unknown(name: string, what: string, { target }: LaunchRequest, status: BuildStatus): never {
  throw new UserError(
    { code: "target-invalid", culprit: target },
    `${what}: the build status has no variable ${JSON.stringify(name)}.`,
    statusRemedy(status),
  );
}
