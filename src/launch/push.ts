import { renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Environment } from "../core/environment.ts";
import { exitStatusOf, Failure, jsonOf, reportOf, UserError } from "../core/errors.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import { type Destinations, destinationOf, repositoryIn } from "./destination.ts";
import { isDryRun } from "./environment.ts";
import { BuiltImage } from "./image.ts";
import { print, tell } from "./output.ts";
import { checkNames, describe, referencesOf, type Shipment, ship } from "./push-images.ts";
import { remoteTags } from "./remote-tags.ts";
import type { LaunchRequest } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

const help = `Pushes the layers that the registry lacks and prints HOST/REPOSITORY@sha256:… for every image.

  --registry HOST[:PORT]  Registry to push to. Default: the target's, else SLIPWAY_REGISTRY, else the build's
  --repository NAME       Repository to push to. Default: the target's
  --tag TAG               Tag to push, instead of the target's tags; may be repeated
  --digest-file FILE      Write the digest of every image to FILE, one per line
  --json                  Print one JSON object per event instead of the references
  --dry-run               Print what would be pushed, and push nothing
  --references            Print the references, without pushing or contacting a registry
  --help                  Show help

Environment: SLIPWAY_DRY_RUN=1 has the same effect as --dry-run.
`;

export async function push(
  request: LaunchRequest,
  args: readonly string[],
  runfiles: Runfiles,
  destinations: Destinations,
  env: Environment,
): Promise<void> {
  const flags = readFlags(args);
  if (flags.help) {
    print(help);
    return;
  }
  if (flags.tag && request.images.length > 1) {
    throw new UserError(
      { code: "command-line-invalid", culprit: "--tag" },
      `--tag: ${request.target} pushes ${request.images.length} images, which cannot all have the same tag.`,
      "Give --tag to the push target of one image.",
    );
  }
  const shipments = await Promise.all(
    request.images.map(async (requested): Promise<Shipment> => {
      const destination = flags.registry ? normalizeRegistry(flags.registry) : destinationOf(requested, request, env);
      return {
        image: new BuiltImage(requested, runfiles),
        destination,
        repository: flags.repository ?? (await repositoryIn(destination, requested.repository, env)),
        tags: flags.tag ?? remoteTags(requested, request, runfiles),
      };
    }),
  );
  if (flags.references) {
    checkNames(shipments);
    print((await referencesOf(shipments, destinations)).map((reference) => `${reference}\n`).join(""));
    return;
  }
  if (flags["dry-run"] || isDryRun(env)) {
    if (flags.json) {
      throw new UserError(
        { code: "command-line-invalid", culprit: "--json" },
        "--json reports a push, and a dry run pushes nothing.",
        "Leave out --json, or push without --dry-run and SLIPWAY_DRY_RUN.",
      );
    }
    checkNames(shipments);
    const { describeShipments } = await import("./dry-run.ts");
    await describeShipments(shipments, destinations, "tags");
    return;
  }
  const report = flags.json ? new (await import("../registry/client/json-progress.ts")).JsonProgress(print) : undefined;
  const failed = new Map<Shipment, unknown>();
  const onFailure = (shipment: Shipment, error: unknown) => {
    failed.set(shipment, error);
    const { image } = shipment;
    if (report)
      report.say({ event: "failed", target: image.target, tag: image.requested.tag, ...JSON.parse(jsonOf(error)) });
    else tell(`slipway: ${describe(shipment)}: ${reportOf(error)}\n`);
  };
  const references = await ship(shipments, destinations, {
    check: "tags",
    report,
    onFailure: shipments.length > 1 ? onFailure : undefined,
  });
  if (flags["digest-file"] !== undefined && failed.size === 0) {
    const digests = shipments.map(({ image }) => `${image.descriptor.digest}\n`).join("");
    // `bazel run` starts programs in a folder of build outputs and passes the user's folder in this variable.
    writeWhole(resolve(env["BUILD_WORKING_DIRECTORY"] ?? ".", flags["digest-file"]), digests);
  }
  for (const [index, shipment] of shipments.entries()) {
    const reference = references[index] as string;
    if (failed.has(shipment)) continue;
    const { target, requested } = shipment.image;
    // The tag is the key of `bases`.
    if (report) {
      report.say({ event: "reference", image: reference.split("@", 1)[0], tag: requested.tag, target, reference });
    } else print(`${reference}\n`);
  }
  if (failed.size > 0) throw incomplete(request.target, shipments.length, [...failed.values()]);
}

/** Each failure was reported on its own. */
function incomplete(target: string, count: number, errors: readonly unknown[]): UserError | Failure {
  const ofUser = errors.every((error) => exitStatusOf(error) === 2);
  return new (ofUser ? UserError : Failure)(
    { code: "push-incomplete", culprit: target },
    `${target} pushed ${count - errors.length} of ${count} images.`,
    "Correct the errors above and push again: only what is missing is sent.",
  );
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        registry: { type: "string" },
        repository: { type: "string" },
        tag: { type: "string", multiple: true },
        "digest-file": { type: "string" },
        "dry-run": { type: "boolean" },
        references: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (cause) {
    const problem = `${(cause as Error).message.split(". ", 1)[0]}.`;
    const culprit = /'(-*[^ ']*)/.exec(problem)?.[1] ?? "";
    throw new UserError({ code: "command-line-invalid", culprit }, problem, "Add --help to see the options.", {
      cause,
    });
  }
}

function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch (cause) {
    throw new UserError(
      { code: "file-unwritable", culprit: path },
      `--digest-file: ${path} cannot be written: ${(cause as Error).message}.`,
      "Name a file in an existing folder that you can write to.",
      { cause },
    );
  }
}
