import { differencesOf } from "../../config/difference.ts";
import { Failure, messageOf } from "../../core/errors.ts";
import { type Change, withoutVariables } from "../change.ts";
import type { ApplyOptions } from "../engine.ts";
import type { Service } from "../model.ts";
import { type Containers, type Found, isRunning, type NewContainer } from "./containers.ts";
import { containerNameOf, type Facts, hashOf, type Labelled, publishedPorts, replicaName } from "./facts.ts";
import { chooseHostPorts, type HostPorts } from "./ports.ts";
import { waitUntilReady } from "./ready.ts";

export interface Prepared {
  readonly service: Service;
  readonly facts: Facts;
  /** Fetches folders by their paths in the containers, before any of these stops, if one has to start. */
  readonly bring: () => Promise<Readonly<Record<string, string>>>;
}

/** Containers have no autoscaler. */
export function replicasOf({ enabled, replicas }: Service): number {
  return enabled ? replicas : 0;
}

export async function planService(containers: Containers, service: Service, facts: Facts): Promise<readonly Change[]> {
  return (await stepsOf(containers, service, facts)).map(({ change }) => change);
}

async function stepsOf(containers: Containers, service: Service, facts: Facts): Promise<readonly Step[]> {
  const goal = { service: service.name, replicas: replicasOf(service), facts, hash: hashOf(facts) };
  return stepsTo(goal, await containers.list(service.name));
}

/**
 * Stops one container, then starts its successor, then the next. Can be repeated after an interrupt.
 *
 * @throws Failure if one cannot be started (its predecessor runs again), or is not ready in time
 */
export async function applyService(containers: Containers, prepared: Prepared, options: ApplyOptions): Promise<void> {
  const { service, facts } = prepared;
  const steps = await stepsOf(containers, service, facts);
  const mounts = steps.some(({ isWanted }) => isWanted) ? await prepared.bring() : {};
  const done: Replacement[] = [];
  try {
    for (const step of steps) {
      if (!step.isWanted) continue;
      const replacement = await replace(containers, { service, facts, mounts }, step, options);
      done.push(replacement);
      options.onChange(step.change);
      if (options.timeLimit === undefined) continue;
      const { now } = replacement;
      const problem = await waitUntilReady(containers, containerNameOf(now), service, now.hostPorts, options.timeLimit);
      if (problem !== undefined) throw unready(step.change.name, problem);
    }
    if (options.timeLimit !== undefined) await waitForOthers(containers, service, done, options.timeLimit);
  } catch (error) {
    const remedy = await afterwards(containers, done, options);
    if (!(error instanceof Failure && error.code === "service-not-ready")) throw error;
    throw new Failure(error, error.problem, remedy);
  } finally {
    // Removes replaced containers, and those that an interrupted change left.
    for (const { former } of done) for (const each of former) await containers.remove(each.name);
  }
  for (const { former, change } of steps.filter(({ isWanted }) => !isWanted)) {
    for (const each of former) await end(containers, each);
    options.onChange(change);
  }
}

/** Waits also for containers that did not change: an earlier apply may have waited for none. */
async function waitForOthers(
  containers: Containers,
  service: Service,
  done: readonly Replacement[],
  timeLimit: number,
): Promise<void> {
  const replaced = new Set(done.map(({ now }) => now.replica));
  for (const found of await containers.list(service.name)) {
    const { name, replica, hostPorts, restarts } = found;
    if (replica >= replicasOf(service) || replaced.has(replica)) continue;
    const problem = await waitUntilReady(containers, name, service, hostPorts, timeLimit, restarts);
    if (problem !== undefined) throw unready(replicaName(found), problem);
  }
}

/** The remedy depends on whether the previous version runs again. */
function unready(container: string, problem: string): Failure {
  return new Failure({ code: "service-not-ready", culprit: container }, `${container} is not ready. ${problem}`, "");
}

interface Replacement {
  readonly now: NewContainer;
  former: readonly Found[];
  /** Those of them that ran. */
  readonly ran: readonly Found[];
}

async function replace(
  containers: Containers,
  { service, facts, mounts }: Pick<NewContainer, "facts" | "mounts"> & Pick<Prepared, "service">,
  { replica, present, former, change }: Step,
  { notice }: ApplyOptions,
): Promise<Replacement> {
  const secrets = Object.entries(service.secrets ?? {});
  const values = Object.fromEntries(
    secrets.map(([name, secret]) => [name, "value" in secret ? secret.value : undefined]),
  );
  const newContainer = (hostPorts: HostPorts): NewContainer => ({
    service: service.name,
    replica,
    facts,
    hash: hashOf(facts),
    env: Object.fromEntries(service.env.map(({ name, value }) => [name, values[name] ?? value])),
    mounts,
    hostPorts,
  });
  const ports = publishedPorts(service);
  const before = new Map(former.flatMap(({ hostPorts }) => [...hostPorts]));
  let now = newContainer(present?.hostPorts ?? (await chooseHostPorts(ports, replica, before)));
  // A wrong container with that name prevents a start; a paused one holds its ports, and cannot be stopped.
  const isInTheWay = ({ name, state }: Found) => name === containerNameOf(now) || state === "paused";
  for (const each of former.filter(isInTheWay)) await end(containers, each);
  const others = former.filter((each) => !isInTheWay(each));
  const ran = others.filter(isRunning);
  if (present === undefined) await containers.create(now);
  if (ran.length > 0) notice(stopNotice(containers, change.name, service.name, service.replicas));
  try {
    for (const each of ran) await containers.stop(each.name);
    await containers.start(now).catch(async (error: unknown) => {
      if (!/address already in use|port is already allocated/i.test(String(error))) throw error;
      await containers.remove(containerNameOf(now));
      now = newContainer(await chooseHostPorts(ports, Number.POSITIVE_INFINITY, new Map()));
      await containers.create(now);
      await containers.start(now);
    });
  } catch (error) {
    await containers.remove(containerNameOf(now));
    for (const each of ran) await containers.resume(each).catch((reason) => notice(messageOf(reason)));
    throw error;
  }
  return { now, former: others, ran };
}

export function stopNotice({ client }: Containers, called: string, service: string, replicas: number): string {
  const meanwhile = replicas > 1 ? "the other replicas do" : `\`slipway service open ${service}\` makes clients wait`;
  return `${called}: ${client.name} stops, then starts it. Until then its ports do not answer; ${meanwhile}.`;
}

/** Restores the previous version, if asked to. Returns the remedy for the error. */
async function afterwards(
  containers: Containers,
  done: readonly Replacement[],
  { isRolledBack, timeLimit }: ApplyOptions,
): Promise<string> {
  if (done.length === 0) return "Nothing had changed. Correct it and apply it again.";
  if (!isRolledBack) return "Correct it and apply it again; with --rollback Slipway starts the previous version again.";
  const restored = done.flatMap(({ ran }) => ran);
  // From here on, the previous containers must survive any error.
  for (const each of done) each.former = each.former.filter((former) => !each.ran.includes(former));
  const failures: unknown[] = [];
  for (const { now, ran } of done) {
    const found = await containers.find(containerNameOf(now));
    if (found) await end(containers, found);
    for (const each of ran) await containers.resume(each).catch((error: unknown) => failures.push(error));
  }
  const [failure] = failures;
  if (failure !== undefined) return `The previous version is kept, but cannot be started: ${messageOf(failure)}`;
  if (restored.length === 0) return "Nothing ran before, and nothing runs now.";
  for (const { name, facts, hostPorts } of restored) {
    const problem =
      timeLimit === undefined ? undefined : await waitUntilReady(containers, name, facts, hostPorts, timeLimit);
    if (problem !== undefined) return `The previous version is started again, but is not ready: ${problem}`;
  }
  return "The previous version is running again.";
}

export async function end(containers: Containers, found: Found): Promise<void> {
  if (isRunning(found)) await containers.stop(found.name);
  await containers.remove(found.name);
}

export interface Step {
  readonly change: Change;
  readonly replica: number;
  readonly isWanted: boolean;
  /** The right container, which does not run. */
  readonly present?: Found;
  /** Containers to remove. An interrupted change leaves two. */
  readonly former: readonly Found[];
}

const startable: ReadonlySet<string> = new Set(["created", "configured", "initialized", "exited", "stopped"]);

export function stepsTo(
  { service, replicas, facts, hash }: Omit<Labelled, "replica"> & { readonly replicas: number },
  existing: readonly Found[],
): readonly Step[] {
  const steps: Step[] = [];
  for (let replica = 0; replica < replicas; replica += 1) {
    const here = existing.filter((each) => each.replica === replica);
    const right = here.find((each) => each.hash === hash && (each.state === "running" || startable.has(each.state)));
    const former = here.filter((each) => each !== right);
    if (right?.state === "running" && former.length === 0) continue;
    const change = {
      kind: "Container",
      name: replicaName({ service, replica }),
      ...actionOf(right, former, facts),
    } as const;
    steps.push({ change, replica, isWanted: true, ...(right && { present: right }), former });
  }
  const surplus = existing.filter(({ replica }) => replica >= replicas);
  for (const [replica, former] of Map.groupBy(surplus, (each) => each.replica)) {
    const change = { action: "delete", kind: "Container", name: replicaName({ service, replica }) } as const;
    steps.push({ change, replica, isWanted: false, former });
  }
  return steps;
}

function actionOf(
  right: Found | undefined,
  former: readonly Found[],
  facts: Facts,
): Pick<Change, "action" | "fields" | "differences"> {
  const before = former.find(({ state }) => state === "running") ?? former[0];
  if (before === undefined) return { action: right === undefined ? "create" : "start" };
  const differences = differencesOf(before.facts, facts).map(withoutVariables);
  if (differences.length === 0) return { action: "change", fields: ["state"] };
  return { action: "change", fields: differences.map(({ field }) => field), differences };
}
