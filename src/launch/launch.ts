import { existsSync } from "node:fs";
import { engineIn } from "../config/engine-kind.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { showsSteps } from "../core/protocol.ts";
import { helperSocketVariable } from "../functions/helper-variables.ts";
import { warmSocket } from "../functions/warm-socket.ts";
import type { ImageProgram } from "../jobs/run-image.ts";
import { builtImages, customImage, parseImages } from "../oci/image-uris.ts";
import { become } from "./become.ts";
import { type Destinations, destinationOf, repositoryIn } from "./destination.ts";
import { imageReference, isDryRun, programEnvironment } from "./environment.ts";
import { BuiltImage } from "./image.ts";
import { tell } from "./output.ts";
import { referencesOf, type Shipment, ship } from "./push-images.ts";
import type { LaunchRequest } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

/** Modes `launch` and `binary`: pushes the images (`launch` only), then replaces this process with the program. */
export async function launch(
  request: LaunchRequest & { readonly program: string },
  args: readonly string[],
  runfiles: Runfiles,
  destinations: Destinations,
  env: Environment,
): Promise<void> {
  const engine = engineIn(env);
  const program = runfiles.path(request.program);
  const helper = request.engineHelper === undefined ? undefined : runfiles.path(request.engineHelper);
  // Both targets are one pipeline's.
  const target = request.mode === "binary" ? request.target.replace(/_binary$/, "") : request.target;
  const inImage = isInImage(request, env) && (await hasEngine(env));
  /** The program, or the helper that runs it in an image. */
  const programOf = (image: string, environment: Readonly<Record<string, string>>) => {
    if (helper === undefined || !inImage) return { program, args };
    const names = [customImage, builtImages, ...request.imageEnv];
    const own = Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
    const described: ImageProgram = { target, image, options: request.runOptions, env: own };
    return { program: helper, args: ["run", JSON.stringify(described), ...args] };
  };
  const custom = env[customImage];
  if (custom) {
    const byTag = new Map(request.images.map(({ tag }) => [tag, custom]));
    const environment = programEnvironment(env, runfiles.folder, request.imageEnv, byTag, {
      helper,
      target,
      isCustom: true,
    });
    return run({ ...programOf(custom, environment), environment, env, shipments: [], destinations });
  }
  const shipments = await Promise.all(
    request.images.map(async (requested): Promise<Shipment> => {
      const destination = destinationOf(requested, request, env);
      const repository = await repositoryIn(destination, requested.repository, env);
      // By digest only: a run must not move a tag that others use.
      return { image: new BuiltImage(requested, runfiles), destination, repository, tags: [] };
    }),
  );
  const environmentFor = (references: readonly string[]) => {
    const byTag = new Map(request.images.map((image, index) => [image.tag, references[index] as string]));
    return programEnvironment(env, runfiles.folder, request.imageEnv, byTag, { helper, target });
  };
  const isDry = isDryRun(env);
  const known = () =>
    shipments.map(({ image, destination, repository }) =>
      imageReference(image, destinations.knownHost(destination), repository),
    );
  let started: Promise<string | undefined> | undefined;
  if (helper !== undefined && engine === "kubernetes") {
    const { checkImages, startHelper } = await import("./engine-helper.ts");
    const images = known();
    const environment = environmentFor(images);
    if (!isDry && waitingHelper(environment) === undefined) started = startHelper(helper, images, environment);
    await checkImages(helper, images, env);
  }
  const isPush = request.mode === "launch";
  const named = () =>
    isPush ? ship(shipments, destinations, { check: "digest" }) : referencesOf(shipments, destinations);
  const environment = environmentFor(isDry ? known() : await named());
  const socket = (await started) ?? waitingHelper(environment);
  if (socket !== undefined) environment[helperSocketVariable] = socket;
  const image = parseImages(environment[builtImages] ?? "").get("default") ?? "";
  return run({ ...programOf(image, environment), environment, env, shipments: isPush ? shipments : [], destinations });
}

const runInVariable = "SLIPWAY_RUN_IN";

/** Where nothing runs images, the program runs as functions do: on this machine, after a remark that says so. */
async function hasEngine(env: Environment): Promise<boolean> {
  const { detectEngine } = await import("../containers/choose-engine.ts");
  const choice = detectEngine(env);
  if (choice.kind === "process" && choice.remark !== undefined) tell(`${choice.remark}\n`);
  return choice.kind !== "process";
}

/** @throws UserError of the variable */
function isInImage({ runIn = "host" }: LaunchRequest, env: Environment): boolean {
  const wanted = env[runInVariable] || runIn;
  if (wanted === "image" || wanted === "host") return wanted === "image";
  throw new UserError(
    { code: "variable-invalid", culprit: runInVariable },
    `${runInVariable} is ${JSON.stringify(wanted)}, which is no place to run a program.`,
    "Set it to image or host, or unset it.",
  );
}

/** The socket of the helper whose workers the last run kept. */
function waitingHelper(environment: Environment): string | undefined {
  const path = warmSocket(environment);
  return path !== undefined && existsSync(path) ? path : undefined;
}

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Record<string, string>;
  readonly env: Environment;
  readonly shipments: readonly Shipment[];
  readonly destinations: Destinations;
}

async function run({ program, args, environment, env, shipments, destinations }: Run): Promise<void> {
  if (!isDryRun(env)) return become(program, args, environment);
  const { describeRun, describeShipments } = await import("./dry-run.ts");
  await describeShipments(shipments, destinations, "digest");
  if (showsSteps(env)) return become(program, args, environment);
  describeRun(program, args, environment, env);
}
