import { placesIn } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { tryProgram } from "../core/run-program.ts";
import { errorFormat, reportedIn } from "../core/wire-error.ts";
import { parseReference } from "../oci/reference.ts";
import { writableHost } from "../registry/writable.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { readServiceSettings } from "./settings.ts";

export interface SyncImage {
  readonly reference: string;
  /** Pushes it, unless the user named one. */
  readonly push: () => Promise<void>;
}

/** A pushed image, by digest. */
const imageVariable = "SLIPWAY_SYNC_IMAGE";
/** The program that pushes the image. The build of this command line sets it. */
const pushVariable = "SLIPWAY_SYNC_PUSH";

/** Of SLIPWAY_SYNC_IMAGE, else `services.syncImage` of config.yaml, else the one built with this command line. */
export async function syncImage(env: Environment): Promise<SyncImage> {
  const named = env[imageVariable] || (await readServiceSettings(env)).syncImage;
  if (named) {
    if (parseReference(named).digest === undefined) {
      throw new UserError(
        { code: "image-unpinned", culprit: named },
        `The image ${named} of ${imageVariable} or \`services.syncImage\` has no digest.`,
        "Write REGISTRY/REPOSITORY@sha256:DIGEST.",
      );
    }
    return { reference: await runnableImage(named, env), push: async () => {} };
  }
  const program = env[pushVariable];
  if (!program) {
    throw new UserError(
      { code: "image-not-found", culprit: imageVariable },
      "This command line came without the image that brings models and repositories to services.",
      `Start it with Bazel, or push //bazel/private/service:sync_push of Slipway and set ${imageVariable}, or \`services: {syncImage: …}\` in the configuration file, to its output.`,
    );
  }
  const [reference = ""] = (await run(program, ["--references"], env)).split("\n");
  return { reference, push: async () => void (await run(program, [], env)) };
}

async function placeSync(env: Environment): Promise<string> {
  const host = writableHost(env);
  return host === undefined ? "slipway/sync" : (await placesIn(host, env))("slipway/sync");
}

async function run(program: string, args: readonly string[], env: Environment): Promise<string> {
  const { status, stdout, stderr } = await tryProgram(program, [...args, "--repository", await placeSync(env)], {
    env: { ...env, [errorFormat]: "json" },
  });
  if (status === 0) return stdout;
  if (status === 127) {
    throw new UserError(
      { code: "variable-invalid", culprit: pushVariable },
      `${pushVariable} does not name a program: ${program}.`,
      "Build it again, or unset the variable.",
    );
  }
  const lines = stderr.trim().split("\n");
  const error = lines.map(reportedIn).findLast((found) => found !== undefined);
  throw new (error instanceof UserError ? UserError : Failure)(
    error ?? { code: "program-failed", culprit: program },
    `The image that brings models and repositories to services was not pushed: ${error?.problem ?? lines.at(-1)}`,
    error?.remedy || "Correct that, then try again.",
  );
}
