import process from "node:process";
import type { EngineKind } from "../config/engine-kind.ts";
import { placedResources } from "../config/instance-types.ts";
import { requireContainerClient } from "../containers/client.ts";
import { isOnThisMachine } from "../containers/reach.ts";
import { absoluteVolumes } from "../containers/volumes.ts";
import { UserError } from "../core/errors.ts";
import { secretIn } from "../core/secret-reference.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { openRunning } from "../registry/open-running.ts";
import { runningRegistry } from "../registry-server/running.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { findSecrets, type VariableStore } from "../secrets/variables.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { localCode } from "./code.ts";
import type { JobEngine } from "./engine.ts";
import { kubernetesEngine, localEngine, needsImages, type Tell, wantedEngine } from "./engines.ts";
import { prepareInterpreter } from "./interpreter.ts";
import type { JobFile } from "./job-file.ts";
import { isLockOf } from "./lock.ts";
import { itemCount } from "./matrix.ts";
import { placeCode } from "./place-code.ts";
import { makeProgram, type Program } from "./program.ts";
import { environmentOf } from "./resolve-environment.ts";
import { resolveNow } from "./resolve-job.ts";
import type { JobLock, ResolvedDeployment } from "./schema.ts";
import { itemProgram } from "./sweep.ts";

export interface RunOptions {
  readonly once?: boolean;
  /** Default: `kubernetes` if SLIPWAY_ENGINE is that, else by the interpreter. */
  readonly engine?: EngineKind | undefined;
  readonly copyCredentials?: boolean | undefined;
  readonly tell: Tell;
}

export type StartedJob =
  | { readonly engine: JobEngine; readonly id: string; readonly isFunction: boolean }
  | { readonly schedule: string };

export async function startJob(file: JobFile, options: RunOptions): Promise<StartedJob> {
  const { tell, copyCredentials } = options;
  const isKubernetes = wantedEngine(options.engine) === "kubernetes";
  const { deployment: locked } = await lockOf(file, options.engine);
  const isScheduled = locked.schedule !== undefined && !options.once;
  if (!isKubernetes) refuseClusterFields(file, locked, isScheduled);
  await requireSigned(locked);
  const resources = await resourcesOf(file, locked);
  await requireSecrets(file, locked, isKubernetes);
  const code = await localCode(locked.code, file.folder, { git: {} });
  const deployment = await prepareInterpreter(locked, code, {
    env: process.env,
    embedded: runningRegistry,
    runsIn: needsImages(options.engine) ? "image" : "process",
    onBuild: ({ kind, path }) => tell(`making the environment of ${kind} ${path}, which nobody made before`),
  });
  const image = imageOf(deployment.interpreter);
  const kind = engineFor(options.engine, image);
  const { platform, volumes } = deployment;
  const place = {
    ...(platform === undefined ? {} : { platform }),
    env: process.env,
    embedded: runningRegistry,
    canMount: kind === "container" && isOnThisMachine(requireContainerClient(process.env), process.env),
  };
  const placed = image === undefined ? code : await placeCode(await runnableImage(image), code, place);
  const inFolder = volumes === undefined ? {} : { volumes: absoluteVolumes(volumes, file.folder) };
  const made = makeProgram(file.title, { ...deployment, ...inFolder, resources }, placed, process.env);
  const program = await itemProgram(made, { platform, env: process.env });
  for (const ignored of ignoredBy(kind, deployment)) tell(ignored);
  if (isScheduled) return { schedule: await scheduleJob(program, deployment, options) };
  const engine = kind === "kubernetes" ? await kubernetesEngine(tell, copyCredentials) : localEngine();
  return { engine, id: await engine.submit(program), isFunction: program.isFunction };
}

async function lockOf(file: JobFile, engine: RunOptions["engine"]): Promise<JobLock> {
  if (file.isLock) return file.readLock();
  if (!file.hasLock) return resolveNow(file, engine);
  const [lock, deployment] = await Promise.all([file.readLock(), file.read()]);
  if (isLockOf(lock, deployment)) return lock;
  throw new UserError(
    { code: "lock-outdated", culprit: file.lockName },
    `${file.name} has changed since ${file.lockName} was made.`,
    `Resolve it again with \`${file.resolveCommand}\`, or run ${file.lockName} as it is.`,
  );
}

/** Refuses what only clusters do. For a schedule, the error has the line for cron. */
function refuseClusterFields(
  { name, onceCommand }: JobFile,
  { schedule, time_zone, matrix }: ResolvedDeployment,
  isScheduled: boolean,
): void {
  const identity = { code: "engine-unavailable", culprit: name } as const;
  if (isScheduled) {
    const zone = time_zone === undefined ? "" : `CRON_TZ=${time_zone}\n`;
    throw new UserError(
      identity,
      `${name} has a \`schedule\`, and only Kubernetes runs jobs by the clock.`,
      // In a crontab % ends the command.
      `Run it with --engine kubernetes, or once now with --once. On this machine start \`${onceCommand}\` with a systemd timer, or add to \`crontab -e\`:\n${zone}${schedule} ${onceCommand.replaceAll("%", "\\%")}`,
    );
  }
  if (matrix === undefined) return;
  throw new UserError(
    identity,
    `${name} has a \`matrix\`, and only Kubernetes runs its ${itemCount(matrix)} items.`,
    "Run it with --engine kubernetes, or leave `matrix` out and run the job once for each item.",
  );
}

/** Requires the signatures of the configuration file, of the image or the environment's base. */
async function requireSigned({ interpreter }: ResolvedDeployment): Promise<void> {
  const image = imageOf(interpreter) ?? environmentOf(interpreter)?.base;
  if (image !== undefined) await runnableImage(image, process.env, openRunning);
}

function resourcesOf(file: JobFile, { resources }: ResolvedDeployment) {
  return placedResources(resources, process.env, async (wrong) => {
    const { document, above } = await file.document();
    return document.error([{ path: [...above, "resources", "instance_type"], ...wrong }]);
  });
}

async function requireSecrets(file: JobFile, { environment }: ResolvedDeployment, isKubernetes: boolean) {
  if (Object.values(environment).every((value) => secretIn(value) === undefined)) return;
  const { document, above } = await file.document();
  const stores = isKubernetes ? await clusterStores() : [new LocalSecrets(process.env)];
  await findSecrets(environment, stores, (missing) =>
    document.error(
      missing.map(({ variable, ...wrong }) => ({ ...wrong, path: [...above, "environment", variable] })),
      "secret-not-found",
    ),
  );
}

async function clusterStores(): Promise<readonly VariableStore[]> {
  const { openCluster } = await import("../kubernetes/cluster.ts");
  const { secretStores } = await import("../secrets/cluster.ts");
  return secretStores(await openCluster(process.env), process.env);
}

function imageOf(interpreter: ResolvedDeployment["interpreter"]): string | undefined {
  if (!("ContainerAtDigest" in interpreter)) return undefined;
  const { repository, digest } = interpreter.ContainerAtDigest;
  return formatReference({ ...parseReference(repository), digest });
}

function engineFor(wanted: RunOptions["engine"], image: string | undefined): EngineKind {
  const natural = image === undefined ? "process" : "container";
  const kind = wanted ?? (wantedEngine(undefined) === "kubernetes" ? "kubernetes" : natural);
  if (kind === natural || (kind === "kubernetes" && image !== undefined)) return kind;
  const what = image === undefined ? "an interpreter of this machine" : "a container image";
  throw new UserError(
    { code: "engine-unavailable", culprit: kind },
    `Engine ${kind} cannot run this job, because its interpreter is ${what}.`,
    image === undefined
      ? "Name a container image as `interpreter`, or run it with --engine process."
      : "Run it with --engine container or kubernetes.",
  );
}

function ignoredBy(kind: EngineKind, { resources, network }: ResolvedDeployment): string[] {
  if (kind === "kubernetes") return network === "none" ? ["a pod has its cluster's network"] : [];
  if (kind === "container") return [];
  return [
    ...(Object.keys(resources).length > 0 ? ["a process of this machine is not held to its resources"] : []),
    ...(network === "none" ? ["a process of this machine has its network"] : []),
  ];
}

async function scheduleJob(
  program: Program,
  { schedule = "", time_zone: timeZone }: ResolvedDeployment,
  { tell, copyCredentials }: RunOptions,
): Promise<string> {
  const { openCluster } = await import("../kubernetes/cluster.ts");
  const { applySchedule } = await import("./kubernetes/schedule.ts");
  const copy = copyCredentials ?? process.env["SLIPWAY_COPY_CREDENTIALS"] === "1";
  const cluster = await openCluster(process.env);
  const done = await applySchedule(cluster, program, { schedule, timeZone }, { copy, env: process.env });
  const { name, state } = done.schedule;
  tell(`schedule ${name} ${done.change}: "${schedule}"${timeZone === undefined ? "" : ` in ${timeZone}`}`);
  if (state === "paused") tell(`it is paused; \`slipway job schedule resume ${name}\` lets it go on`);
  if (done.hasPullSecret && !copy) {
    tell("nodes can pull from the embedded registry for an hour only: set SLIPWAY_REGISTRY to another registry");
  }
  return name;
}
