import process from "node:process";
import { localCode } from "../../deployment/code.ts";
import { isLockOf, type JobLock, readJobLock } from "../../deployment/lock.ts";
import type { ResolvedDeployment } from "../../deployment/model.ts";
import { requireContainerClient } from "../../engine/container/client.ts";
import { isOnThisMachine } from "../../engine/container/reach.ts";
import { type PlaceOptions, placeCode } from "../../engine/job/place-code.ts";
import { makeProgram } from "../../engine/job/program.ts";
import { UserError } from "../../oci/errors.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import { runningRegistry } from "../embedded.ts";
import { followJob, localEngine } from "./job_control.ts";
import { resolveNow } from "./job_resolve.ts";
import { JobFile, type JobOptions } from "./job-file.ts";

/** Runs a job to its end, or, detached, until it has been submitted. */
export async function runJob(options: JobOptions & { readonly detach: boolean }): Promise<void> {
  const file = new JobFile(options);
  const { deployment } = await lockOf(file);
  const code = await localCode(deployment.code, file.folder, { git: {} });
  const image = imageOf(deployment);
  const placed = image === undefined ? code : await placeCode(image, code, placeOptions(deployment));
  const program = makeProgram(file.title, deployment, placed, process.env);
  if (program.image === undefined) {
    if (Object.keys(program.resources).length > 0)
      process.stderr.write("slipway: a process of this machine is not held to its resources\n");
    if (deployment.network === "none") process.stderr.write("slipway: a process of this machine has its network\n");
  }
  const engine = localEngine();
  const id = await engine.submit(program);
  if (options.detach) process.stdout.write(`${id}\n`);
  else await followJob(engine, id, program.isFunction);
}

/** The image of a job; undefined: it runs on an interpreter of this machine. */
function imageOf({ interpreter }: ResolvedDeployment): string | undefined {
  if (!("ContainerAtDigest" in interpreter)) return undefined;
  const { repository, digest } = interpreter.ContainerAtDigest;
  return formatReference({ ...parseReference(repository), digest });
}

function placeOptions({ platform }: ResolvedDeployment): PlaceOptions {
  return {
    ...(platform === undefined ? {} : { platform }),
    env: process.env,
    embedded: runningRegistry,
    canMount: isOnThisMachine(requireContainerClient(process.env), process.env),
  };
}

/** The lock to run by: the one that is named, the one beside the job, or one of this moment. */
async function lockOf(file: JobFile): Promise<JobLock> {
  if (file.isLock) return readJobLock(file.path, file.name);
  if (!file.hasLock) return resolveNow(file);
  const [lock, { deployment }] = await Promise.all([readJobLock(file.lockPath, file.lockName), file.read()]);
  if (isLockOf(lock, deployment)) return lock;
  throw new UserError(
    `${file.name} was changed since ${file.lockName} was made.`,
    `Resolve it again with \`${file.resolveCommand}\`, or run ${file.lockName} as it is.`,
  );
}
