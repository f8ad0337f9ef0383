import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import process from "node:process";
import { localCode } from "../../deployment/code.ts";
import { isLockOf, isLockPath, type JobLock, lockPath, readJobLock } from "../../deployment/lock.ts";
import { readDeployment } from "../../deployment/read.ts";
import { makeProgram } from "../../engine/job/program.ts";
import { UserError } from "../../oci/errors.ts";
import { followJob, localEngine } from "./job_control.ts";
import { resolveNow, userPath } from "./job_resolve.ts";

/** Runs a job to its end, or, detached, until it has been submitted. */
export async function runJob({ file, detach }: { readonly file: string; readonly detach: boolean }): Promise<void> {
  const path = userPath(file);
  const { deployment } = await lockOf(path, file);
  const code = await localCode(deployment.code, dirname(path), { git: {} });
  const name = basename(path).replace(/(\.lock)?\.(ya?ml|json)$/, "");
  const program = makeProgram(name, deployment, code, process.env);
  if (program.image === undefined && Object.keys(program.resources).length > 0) {
    process.stderr.write("slipway: a process of this machine is not held to its resources\n");
  }
  const engine = localEngine();
  const id = await engine.submit(program);
  if (detach) process.stdout.write(`${id}\n`);
  else await followJob(engine, id, program.isFunction);
}

/** The lock to run by: the one that is named, the one beside the job, or one of this moment. */
async function lockOf(path: string, name: string): Promise<JobLock> {
  if (isLockPath(path)) return readJobLock(path, name);
  if (!existsSync(lockPath(path))) return resolveNow(path, name);
  const [lock, { deployment }] = await Promise.all([
    readJobLock(lockPath(path), lockPath(name)),
    readDeployment(path, name),
  ]);
  if (isLockOf(lock, deployment)) return lock;
  throw new UserError(
    `${name} was changed since ${lockPath(name)} was made.`,
    `Resolve it again with \`slipway job resolve ${name}\`, or run ${lockPath(name)} as it is.`,
  );
}
