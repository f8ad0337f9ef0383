import process from "node:process";
import { requireContainerClient } from "../../containers/client.ts";
import { isOnThisMachine } from "../../containers/reach.ts";
import { absoluteVolumes } from "../../containers/volumes.ts";
import { UserError } from "../../core/errors.ts";
import { localCode } from "../../jobs/code.ts";
import { prepareInterpreter } from "../../jobs/interpreter.ts";
import { isLockOf, type JobLock, readJobLock } from "../../jobs/lock.ts";
import { itemCount } from "../../jobs/matrix.ts";
import type { ResolvedDeployment } from "../../jobs/model.ts";
import { type PlaceOptions, placeCode } from "../../jobs/place-code.ts";
import { makeProgram } from "../../jobs/program.ts";
import { environmentOf } from "../../jobs/resolve.ts";
import { itemProgram } from "../../jobs/sweep.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import { openRunning } from "../../registry/open-running.ts";
import { runningRegistry } from "../../registry-server/running.ts";
import { runnableImage } from "../../signatures/runnable-image.ts";
import { followJob } from "./job-control.ts";
import { type EngineName, kubernetesEngine, localEngine, needsImages } from "./job-engines.ts";
import { JobFile, type JobOptions } from "./job-file.ts";
import { resolveNow } from "./job-resolve.ts";
import { resourcesOf } from "./job-resources.ts";
import { refuseSchedule, scheduleJob } from "./job-schedule.ts";
import { requireSecrets } from "./job-secrets.ts";
import { notice } from "./output.ts";

export interface RunOptions extends JobOptions {
  readonly detach: boolean;
  /** Runs a job with a schedule now. */
  readonly once: boolean;
  /** Default: `kubernetes` if SLIPWAY_ENGINE is that, else by the interpreter. */
  readonly engine: EngineName | undefined;
  readonly copyCredentials: boolean | undefined;
}

/** Runs a job and waits for its end. With `detach`, only submits it. */
export async function runJob(options: RunOptions): Promise<void> {
  const file = new JobFile(options);
  const { deployment: locked } = await lockOf(file, options.engine);
  const isScheduled = locked.schedule !== undefined && !options.once;
  requireEngine(file, locked, options.engine, isScheduled);
  await requireSigned(locked);
  const resources = await resourcesOf(file, locked);
  await requireSecrets(file, locked, (options.engine ?? process.env["SLIPWAY_ENGINE"]) === "kubernetes");
  const code = await localCode(locked.code, file.folder, { git: {} });
  const deployment = await prepareInterpreter(locked, code, {
    env: process.env,
    embedded: runningRegistry,
    runsIn: needsImages(options.engine) ? "image" : "process",
    onBuild: ({ kind, path }) => notice(`making the environment of ${kind} ${path}, which nobody made before`),
  });
  const image = imageOf(deployment.interpreter);
  const kind = engineFor(options.engine, image);
  const placed =
    image === undefined ? code : await placeCode(await runnableImage(image), code, placeOptions(deployment, kind));
  const { platform } = deployment;
  const { volumes } = deployment;
  const inFolder = volumes === undefined ? {} : { volumes: absoluteVolumes(volumes, file.folder) };
  const made = makeProgram(file.title, { ...deployment, ...inFolder, resources }, placed, process.env);
  const program = await itemProgram(made, { platform, env: process.env });
  for (const lack of lacksOf(deployment, kind)) notice(lack);
  if (isScheduled) return scheduleJob(program, deployment, options.copyCredentials);
  const engine = kind === "kubernetes" ? await kubernetesEngine(options.copyCredentials) : localEngine();
  const id = await engine.submit(program);
  if (options.detach) process.stdout.write(`${id}\n`);
  else await followJob(engine, id, program.isFunction);
}

/** @throws UserError for what only clusters do */
function requireEngine(
  file: JobFile,
  deployment: ResolvedDeployment,
  engine: RunOptions["engine"],
  isScheduled: boolean,
): void {
  if ((engine ?? process.env["SLIPWAY_ENGINE"]) === "kubernetes") return;
  if (isScheduled) refuseSchedule(file, deployment);
  const { matrix } = deployment;
  const { name } = file;
  if (matrix === undefined) return;
  throw new UserError(
    { code: "engine-unavailable", culprit: name },
    `${name} has a \`matrix\`, and only Kubernetes runs its ${itemCount(matrix)} items.`,
    "Run it with --engine kubernetes, or leave `matrix` out and run the job once for each item.",
  );
}

/** The settings of a job that its engine ignores. */
function lacksOf({ resources, network }: ResolvedDeployment, kind: EngineName): string[] {
  const isProcess = kind === "process";
  const lacks = [];
  if (isProcess && Object.keys(resources).length > 0)
    lacks.push("a process of this machine is not held to its resources");
  if (isProcess && network === "none") lacks.push("a process of this machine has its network");
  if (kind === "kubernetes" && network === "none") lacks.push("a pod has its cluster's network");
  return lacks;
}

/** @throws Failure if the image, or the base of the environment, may not run by the configuration file */
async function requireSigned({ interpreter }: ResolvedDeployment): Promise<void> {
  const image = imageOf(interpreter) ?? environmentOf(interpreter)?.base;
  if (image !== undefined) await runnableImage(image, process.env, openRunning);
}

/** The image of a job. Undefined: it runs with an interpreter of this machine. */
function imageOf(interpreter: ResolvedDeployment["interpreter"]): string | undefined {
  if (!("ContainerAtDigest" in interpreter)) return undefined;
  const { repository, digest } = interpreter.ContainerAtDigest;
  return formatReference({ ...parseReference(repository), digest });
}

/** @throws UserError if the chosen engine cannot run this interpreter */
function engineFor(wanted: RunOptions["engine"], image: string | undefined): EngineName {
  const natural = image === undefined ? "process" : "container";
  const kind = wanted ?? (process.env["SLIPWAY_ENGINE"] === "kubernetes" ? "kubernetes" : natural);
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

function placeOptions({ platform }: ResolvedDeployment, kind: EngineName): PlaceOptions {
  return {
    ...(platform === undefined ? {} : { platform }),
    env: process.env,
    embedded: runningRegistry,
    canMount: kind === "container" && isOnThisMachine(requireContainerClient(process.env), process.env),
  };
}

/** The lock to run: the given file, else the one beside the job, else a new one. */
async function lockOf(file: JobFile, engine: RunOptions["engine"]): Promise<JobLock> {
  if (file.isLock) return readJobLock(file.path, file.name);
  if (!file.hasLock) return resolveNow(file, engine);
  const [lock, { deployment }] = await Promise.all([readJobLock(file.lockPath, file.lockName), file.read()]);
  if (isLockOf(lock, deployment)) return lock;
  throw new UserError(
    { code: "lock-outdated", culprit: file.lockName },
    `${file.name} has changed since ${file.lockName} was made.`,
    `Resolve it again with \`${file.resolveCommand}\`, or run ${file.lockName} as it is.`,
  );
}
