import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { requireContainerClient } from "../../containers/client.ts";
import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import { takeLock, waitForLock } from "../../core/lock.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import { runnableImage } from "../../signatures/runnable-image.ts";
import type { Change } from "../change.ts";
import type { ApplyOptions } from "../engine.ts";
import { type Revision, revisionToRestore } from "../history.ts";
import { checkImageTaken, type NamedService, readServices, type ServiceDocument, type ServiceFile } from "../read.ts";
import { openerFor, resolveSecrets } from "../resolve.ts";
import { readServiceSettings, type ServiceSettings } from "../settings.ts";
import { applyService, end, planService, replicasOf, stopNotice } from "./apply.ts";
import { Containers, type Found, isRunning } from "./containers.ts";
import { factsOf, hashOf, type Meaning, replicaName, variablesOf } from "./facts.ts";
import { forgetHistory, type KeptRevision, noteRevision, readHistory, servicesFolder } from "./history.ts";
import { bringImage, bringSyncImage, exactContents, exactImage, filesOf, serviceUse } from "./prepare.ts";
import { waitUntilReady } from "./ready.ts";
import { bringContent, foldersOf, removeLeftovers } from "./sync.ts";

export async function openContainers(env: Environment): Promise<Containers> {
  return Containers.open(requireContainerClient(env, serviceUse), env);
}

/** Lists the changes that {@link applyFile} would make. Asks registries and git servers, but fetches nothing. */
export async function planFile(file: ServiceFile, env: Environment): Promise<readonly Change[]> {
  const changes: Change[] = [];
  const containers = await openContainers(env);
  for (const { service, facts } of await meaningsOf(containers, file, env)) {
    changes.push(...(await planService(containers, service, facts)));
  }
  return changes;
}

export async function applyFile(file: ServiceFile, env: Environment, options: ApplyOptions): Promise<void> {
  const containers = await openContainers(env);
  for (const meaning of await meaningsOf(containers, file, env)) {
    const { service } = meaning;
    const does = (what: string) => options.notice(`${service.name}: ${containers.client.name} does not ${what}.`);
    if (service.autoscaling) does(`scale services; replicas: ${service.replicas}`);
    if (service.expose) does("expose services; `expose` has no effect");
    await whileLocked(service.name, env, options.notice, async () => {
      const bring = () => bringAll(containers, meaning, env, options.notice);
      await applyService(containers, { ...meaning, bring }, options);
      if (replicasOf(service) > 0) await noteRevision(env, meaning);
    });
  }
}

async function meaningsOf(containers: Containers, file: ServiceFile, env: Environment): Promise<readonly Meaning[]> {
  const settings = await readServiceSettings(env);
  const documents = await readServices(file, Object.keys(settings.instanceTypes));
  checkImageTaken(documents, file.image);
  return Promise.all(documents.map((document) => meaningOf(containers, document, settings, env)));
}

async function meaningOf(
  containers: Containers,
  document: ServiceDocument,
  settings: ServiceSettings,
  env: Environment,
): Promise<Meaning> {
  const { service, error } = document;
  const type = service.instanceType === undefined ? undefined : settings.instanceTypes[service.instanceType];
  // A stopped service needs neither image nor content.
  if (replicasOf(service) === 0) return { service, facts: factsOf(service, service.image, type, []), contents: [] };
  const complete = await resolveSecrets(service, [new LocalSecrets(env)], error);
  const [exact, contents] = await Promise.all([
    exactImage(containers, service, env),
    exactContents(document, settings, env),
  ]);
  return { service: complete, facts: factsOf(complete, exact, type, foldersOf(contents)), contents };
}

/** @returns folders of this machine by their paths in the containers */
async function bringAll(
  containers: Containers,
  { service, facts, contents }: Meaning,
  env: Environment,
  notice: (text: string) => void,
): Promise<Readonly<Record<string, string>>> {
  await bringImage(containers, service, facts.image, env, notice);
  if (contents.length === 0) return {};
  const image = await bringSyncImage(containers, env);
  const mounts: Record<string, string> = {};
  for (const content of contents) {
    const files = await filesOf(service, content, env);
    const volume = await bringContent(containers, content, { service: service.name, image, files, notice });
    for (const { path, folder } of content.mounts) mounts[path] = join(volume, folder);
  }
  return mounts;
}

async function whileLocked<Result>(
  service: string,
  env: Environment,
  notice: (text: string) => void,
  change: () => Promise<Result>,
): Promise<Result> {
  const folder = servicesFolder(env);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${service}.lock`);
  const taken = takeLock(path);
  if (!taken) notice(`${service}: waiting for another command that changes it.`);
  const lock = taken ?? (await waitForLock(path));
  return change().finally(() => lock.release());
}

/** Deletes nothing if a service that is not disabled has no container. */
export async function deleteServices(
  services: readonly NamedService[],
  env: Environment,
  notice: (text: string) => void,
  onChange: (change: Change) => void,
): Promise<void> {
  const containers = await openContainers(env);
  const running = services.filter(({ isDisabled }) => !isDisabled).map(({ name }) => name);
  await containersOf(containers, running);
  for (const { name, isDisabled } of services) {
    await whileLocked(name, env, notice, async () => {
      // The previous holder of the lock may have created others.
      const found = await containers.list(name);
      if (found.length === 0 && isDisabled) notice(`${name}: it is disabled and has no container.`);
      for (const each of found) {
        await end(containers, each);
        onChange({ action: "delete", kind: "Container", name: replicaName(each) });
      }
      await removeLeftovers(containers, name);
      await forgetHistory(env, name);
    });
  }
}

export async function containersOf(containers: Containers, names: readonly string[]): Promise<readonly Found[]> {
  const lists = await Promise.all(names.map((name) => containers.list(name)));
  const missing = names.filter((_, index) => lists[index]?.length === 0);
  if (missing.length === 0) return lists.flat();
  const culprit = missing.join(", ");
  throw new UserError(
    { code: "service-not-found", culprit },
    `${containers.client.name} has no container of the service ${culprit}.`,
    "`slipway service status` lists the services.",
  );
}

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

export async function rollBackService(
  env: Environment,
  name: string,
  asked: number | undefined,
  options: Omit<ApplyOptions, "isRolledBack">,
): Promise<number> {
  const containers = await openContainers(env);
  return whileLocked(name, env, options.notice, async () => {
    const { revision, meaning: kept } = revisionToRestore(name, await revisionsOf(containers, env, name), asked);
    await runnableImage(kept.facts.image, env, openerFor(kept.service, env));
    const service = await resolveSecrets(kept.service, [new LocalSecrets(env)]);
    const meaning = { ...kept, service, facts: { ...kept.facts, env: variablesOf(service) } };
    const bring = () => bringAll(containers, meaning, env, options.notice);
    await applyService(containers, { ...meaning, bring }, { ...options, isRolledBack: false });
    await noteRevision(env, meaning, `rollback to revision ${revision}`);
    return revision;
  });
}

export async function restartService(
  env: Environment,
  name: string,
  { timeLimit, notice }: Pick<ApplyOptions, "timeLimit" | "notice">,
): Promise<void> {
  const containers = await openContainers(env);
  await whileLocked(name, env, notice, async () => {
    const all = await containersOf(containers, [name]);
    for (const { facts } of all) await runnableImage(facts.image, env);
    for (const found of all) {
      const called = replicaName(found);
      notice(stopNotice(containers, called, name, all.length));
      if (isRunning(found)) await containers.stop(found.name);
      await containers.resume(found);
      if (timeLimit === undefined) continue;
      const problem = await waitUntilReady(containers, found.name, found.facts, found.hostPorts, timeLimit);
      if (problem === undefined) continue;
      throw new Failure(
        { code: "service-not-ready", culprit: called },
        `${called} is not ready after its restart. ${problem}`,
        `Read its log with \`slipway service logs ${name}\`, or go back with \`slipway service rollback ${name}\`.`,
      );
    }
  });
}
