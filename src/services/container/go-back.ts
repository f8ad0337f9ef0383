import type { Environment } from "../../core/environment.ts";
import { Failure } from "../../core/errors.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import { runnableImage } from "../../signatures/runnable-image.ts";
import type { ApplyOptions } from "../engine.ts";
import { type Revision, revisionToRestore } from "../history.ts";
import { openerFor } from "../resolve.ts";
import { resolveSecrets } from "../resolve-secrets.ts";
import { applyService, stopNotice } from "./apply.ts";
import { bringAll, containersOf, lockOf, openContainers } from "./apply-file.ts";
import { type Containers, isRunning } from "./containers.ts";
import { hashOf, variablesOf } from "./facts.ts";
import { type KeptRevision, noteRevision, readHistory } from "./history.ts";
import { replicaName } from "./labels.ts";
import { waitUntilReady } from "./ready.ts";

export async function serviceHistory(env: Environment, name: string): Promise<readonly Revision[]> {
  return (await revisionsOf(await openContainers(env), env, name)).map(({ meaning: _, ...revision }) => revision);
}

async function revisionsOf(
  containers: Containers,
  env: Environment,
  name: string,
): Promise<readonly (KeptRevision & Revision)[]> {
  const [found, revisions] = await Promise.all([containers.list(name), readHistory(env, name)]);
  if (revisions.length === 0) await containersOf(containers, [name]);
  const hashes = new Set(found.map(({ hash }) => hash));
  const current = revisions.findLast(({ meaning }) => hashes.has(hashOf(meaning.facts)))?.revision;
  return revisions.map((each) => ({ ...each, isCurrent: each.revision === current }));
}

/** Applies an earlier revision, with the current values of secrets. */
export async function rollBackService(
  env: Environment,
  name: string,
  asked: number | undefined,
  options: Omit<ApplyOptions, "isRolledBack">,
): Promise<number> {
  const containers = await openContainers(env);
  const lock = await lockOf(name, env, options.notice);
  try {
    const { revision, meaning: kept } = revisionToRestore(name, await revisionsOf(containers, env, name), asked);
    await runnableImage(kept.facts.image, env, openerFor(kept.service, env));
    const service = await resolveSecrets(kept.service, [new LocalSecrets(env)]);
    const meaning = { ...kept, service, facts: { ...kept.facts, env: variablesOf(service) } };
    const bring = () => bringAll(containers, meaning, env, options.notice);
    await applyService(containers, { ...meaning, bring }, { ...options, isRolledBack: false });
    await noteRevision(env, meaning, `rollback to revision ${revision}`);
    return revision;
  } finally {
    lock.release();
  }
}

/** Restarts one container after the other. */
export async function restartService(
  env: Environment,
  name: string,
  { timeLimit, notice }: Pick<ApplyOptions, "timeLimit" | "notice">,
): Promise<void> {
  const containers = await openContainers(env);
  const lock = await lockOf(name, env, notice);
  try {
    const all = await containersOf(containers, [name]);
    for (const { facts } of all) await runnableImage(facts.image, env);
    for (const found of all) {
      const called = replicaName(found);
      notice(stopNotice(containers, called, name, all.length));
      if (isRunning(found)) await containers.stop(found.name);
      await containers.resume(found.name);
      if (timeLimit === undefined) continue;
      const problem = await waitUntilReady(containers, found.name, found.facts, found.hostPorts, timeLimit);
      if (problem === undefined) continue;
      throw new Failure(
        { code: "service-not-ready", culprit: called },
        `${called} is not ready after its restart. ${problem}`,
        `Read its log with \`slipway service logs ${name}\`, or go back with \`slipway service rollback ${name}\`.`,
      );
    }
  } finally {
    lock.release();
  }
}
