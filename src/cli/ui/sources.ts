import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { isRunning } from "../../core/processes.ts";
import { listAllJobs } from "../../jobs/control-jobs.ts";
import { engineOf } from "../../jobs/engines.ts";
import { formatPlatform } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isIndex } from "../../oci/manifest.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { Slots } from "../../registry/client/slots.ts";
import { embeddedHost } from "../../registry/open-by-name.ts";
import { openRunning } from "../../registry/open-running.ts";
import type { RunStart } from "../../runs/events.ts";
import { RunFold, type RunItem } from "../../runs/fold.ts";
import { RunReader, runIds } from "../../runs/read.ts";
import { openServiceEngine } from "../../services/open-engine.ts";
import { commentsOf, readUsage } from "../commands/image-tree.ts";
import { notice } from "../commands/output.ts";
import { listedImages } from "../commands/registry-store.ts";
import { fetchImage, type NamedImage, openImage, readConfig } from "../image/named-image.ts";
import { treeAnswer } from "../image/tree/page-data.ts";
import { UsageTable } from "../image/tree/usage.ts";
import { differences } from "./difference.ts";
import type { Answers, ImageAnswer, JobLine, LiveMessages, RepositoryLine, RunLine } from "./messages.ts";
import type { Answer, Live } from "./server.ts";

/** Milliseconds. */
const intervals = { run: 150, runs: 1000, jobs: 2000, services: 3000 };
const mostEvents = 5000;

type LiveName = keyof LiveMessages;
type Gives = { readonly [Name in LiveName]: (of: string, signal: AbortSignal) => AsyncIterable<LiveMessages[Name]> };
type Gets = { readonly [Name in keyof Answers]: (words: URLSearchParams) => Promise<Answers[Name]> };

export function liveSources(env: Environment): Readonly<Record<LiveName, Live>> {
  const list = new RunList(env);
  return {
    runs: (_, signal) => whenChanged(intervals.runs, signal, async () => ({ runs: await list.lines() })),
    run: (id, signal) => followRun(id, env, signal),
    jobs: (_, signal) => whenChanged(intervals.jobs, signal, listJobs),
    job: followJob,
    services: (_, signal) =>
      whenChanged(intervals.services, signal, async () => {
        return { services: await (await openServiceEngine(undefined, env)).statuses() };
      }),
  } satisfies Gives;
}

interface AnswerSources {
  readonly answers: Readonly<Record<keyof Answers, Answer>>;
  readonly actions: Readonly<Record<"registries", Answer>>;
}

/**
 * Sources of the page that answer once. They ask only the embedded registry, those that this user's runs name, and
 * those that the user wrote into a form of the page: a link to the page names an image, and anybody can write a link.
 */
export function answerSources(env: Environment): AnswerSources {
  const written = new Set<string>();
  const runs = new RunList(env);
  const isNamed = async (registry: string) =>
    (await runs.lines()).some(({ images }) => images.some((image) => registryOf(image) === registry));
  const withKnown = async <Found>(text: string | null, act: (image: NamedImage) => Promise<Found>): Promise<Found> => {
    const name = text ?? "";
    const { registry } = parseReference(name);
    const isKnown = registry === embeddedHost() || written.has(registry) || (await isNamed(registry));
    if (!isKnown) throw unasked(name, registry);
    using image = await openImage(name);
    return await act(image);
  };
  // The files of one image, or of two that are compared, take most of the memory that this process may have.
  const readers = new Slots(1);
  const withTable = <Found>(act: (table: UsageTable) => Promise<Found>): Promise<Found> =>
    readers.run(async () => {
      const table = new UsageTable();
      return act(table).finally(() => table.close());
    });
  const gets: Gets = {
    history: async (words) => {
      return (await openServiceEngine(undefined, env)).history(words.get("name") ?? "");
    },
    images: async () =>
      (await listedImages()).flatMap(({ digest, ...image }) => (digest ? [{ ...image, digest }] : [])),
    image: (words) => withKnown(words.get("name"), imageAnswer),
    diff: (words) =>
      withTable(async (table) => {
        const read = (name: string | null) =>
          withKnown(name, async (image) => ({
            about: await imageAnswer(image),
            usage: await readUsage(image, await fetchImage(image), table),
          }));
        const one = await read(words.get("one"));
        const other = await read(words.get("other"));
        return { one: one.about, other: other.about, ...differences(one.usage.layers, other.usage.layers) };
      }),
    registry: repositories,
    tree: (words) =>
      withTable((table) =>
        withKnown(words.get("name"), async (image) =>
          treeAnswer(await readUsage(image, await fetchImage(image), table)),
        ),
      ),
  };
  const registries: Answer = async (words) => {
    written.add(parseReference(words.get("name") ?? "").registry);
    return {};
  };
  return { answers: gets, actions: { registries } };
}

function registryOf(image: string): string | undefined {
  try {
    return parseReference(image).registry;
  } catch {
    return undefined;
  }
}

function unasked(name: string, registry: string): UserError {
  return new UserError(
    { code: "registry-unasked", culprit: registry },
    `No run of yours names the registry ${registry}, so this page does not ask it for ${name}.`,
    "If you trust the registry, write the name of the image into the form.",
  );
}

/** Gives what `look` finds, and again whenever it is something else. */
async function* whenChanged<Found>(
  interval: number,
  signal: AbortSignal,
  look: () => Promise<Found>,
): AsyncIterable<Found> {
  for (let before = ""; ; await wait(interval, undefined, { signal })) {
    const found = await look();
    const text = JSON.stringify(found);
    if (text !== before) yield found;
    before = text;
  }
}

/** A run that has ended is read once. */
class RunList {
  readonly #env: Environment;
  readonly #ended = new Map<string, RunLine>();
  readonly #going = new Map<string, { readonly reader: RunReader; readonly fold: RunFold }>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The newest first. */
  async lines(): Promise<RunLine[]> {
    const lines: RunLine[] = [];
    for (const id of runIds(this.#env).reverse()) {
      const line = this.#ended.get(id) ?? (await this.#read(id));
      if (line) lines.push(line);
    }
    return lines;
  }

  async #read(id: string): Promise<RunLine | undefined> {
    // Many large files must not keep others waiting.
    await nextTurn();
    let going = this.#going.get(id);
    try {
      going ??= { reader: new RunReader(id, this.#env), fold: new RunFold() };
    } catch {
      return undefined;
    }
    this.#going.set(id, going);
    for (const event of going.reader.read()) going.fold.add(event);
    const run = going.fold.run(id, isRunning);
    const { program = "", engine = "", images = [], commit, state = "killed", status, started = 0, ended } = run ?? {};
    const counts: Record<RunItem["state"], number> = { waiting: 0, running: 0, done: 0, failed: 0, kept: 0 };
    for (const { calls } of run?.batches ?? []) for (const call of calls) counts[call.state]++;
    const line: RunLine = {
      ...{ id, program, engine, images, state, started, counts },
      ...(commit === undefined ? {} : { commit }),
      ...(status === undefined ? {} : { status }),
      ...(ended === undefined ? {} : { ended }),
    };
    if (state === "running") return line;
    going.reader.close();
    this.#going.delete(id);
    if (run) this.#ended.set(id, line);
    return run && line;
  }
}

async function* followRun(id: string, env: Environment, signal: AbortSignal): AsyncIterable<LiveMessages["run"]> {
  let reader: RunReader;
  try {
    reader = new RunReader(id, env);
  } catch {
    throw new UserError(
      { code: "run-not-found", culprit: id },
      `There is no run ${id}.`,
      "Old runs are removed when new ones begin.",
    );
  }
  try {
    let start: RunStart | undefined;
    for (let isFirst = true; ; isFirst = false) {
      // Before the last look at the file: what ends in between has written all.
      const isAlive: boolean = start === undefined || isRunning(start.process, start.began);
      const events = reader.read();
      for (const event of events) if ("run" in event) start ??= event.run;
      const isOver = !isAlive || (start === undefined && !isFirst) || events.some((event) => "end" in event);
      for (let at = 0; at === 0 || at < events.length; at += mostEvents) {
        const some = events.slice(at, at + mostEvents);
        if (some.length > 0 || isOver) yield { events: some, isAlive };
      }
      if (isOver) return;
      await wait(intervals.run, undefined, { signal });
    }
  } finally {
    reader.close();
  }
}

async function listJobs(): Promise<LiveMessages["jobs"]> {
  let remark: string | undefined;
  const jobs = await listAllJobs(false, (text) => {
    remark = text;
  });
  jobs.sort((one, other) => Date.parse(other.submitted) - Date.parse(one.submitted));
  return { jobs: jobs.map(withoutValues), ...(remark === undefined ? {} : { notice: remark }) };
}

function withoutValues<Job extends { readonly items?: JobLine["items"] }>({ items, ...job }: Job) {
  if (items === undefined) return job;
  const { total, succeeded, failed, running } = items;
  return { ...job, items: { total, succeeded, failed, running } };
}

async function* followJob(id: string, signal: AbortSignal): AsyncIterable<LiveMessages["job"]> {
  const engine = await engineOf(id, notice);
  yield { job: withoutValues(await engine.status(id)) };
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const { stream, data } of engine.logs(id, { follow: true, signal, tail: 2000 })) {
    yield { log: decoders[stream].decode(data, { stream: true }) };
  }
  yield { job: withoutValues(await engine.status(id)) };
}

async function imageAnswer(image: NamedImage): Promise<ImageAnswer> {
  const { manifest, descriptor } = await fetchImage(image);
  const config = await readConfig(image, manifest, descriptor.digest);
  const comments = commentsOf(config, manifest.layers.length);
  return {
    name: formatReference(image.reference),
    digest: descriptor.digest,
    platform: formatPlatform(config),
    layers: manifest.layers.map(({ digest, size }, index) => ({ digest, size, comment: comments[index] ?? "" })),
  };
}

/** Blobs that several repositories have are stored once. */
async function repositories(): Promise<Answers["registry"]> {
  const host = embeddedHost() ?? "";
  const images = await listedImages();
  const sizes = new Map<Digest, number>();
  const holders = new Map<Digest, Set<string>>();
  if (images.length > 0) {
    using client = await openRunning(host);
    const read = async (repository: string, digest: Digest): Promise<void> => {
      if (holders.get(digest)?.has(repository)) return;
      const { manifest, bytes } = await fetchManifest(client, repository, digest);
      const hold = (part: Digest, size: number) => {
        sizes.set(part, size);
        holders.set(part, (holders.get(part) ?? new Set()).add(repository));
      };
      hold(digest, bytes.length);
      if (isIndex(manifest)) for (const child of manifest.manifests) await read(repository, child.digest);
      else for (const part of [manifest.config, ...manifest.layers]) hold(part.digest, part.size);
    };
    for (const { repository, digest } of images) if (digest) await read(repository, digest).catch(() => {});
  }
  const lines = [...new Set(images.map(({ repository }) => repository))].map((name): RepositoryLine => {
    const own = images.filter(({ repository }) => repository === name);
    const held = [...holders].filter(([, all]) => all.has(name));
    const sum = (parts: typeof held) => parts.reduce((total, [digest]) => total + (sizes.get(digest) ?? 0), 0);
    return {
      name,
      tags: own.filter(({ tag }) => tag !== undefined).length,
      manifests: new Set(own.map(({ digest }) => digest)).size,
      size: sum(held),
      own: sum(held.filter(([, all]) => all.size === 1)),
    };
  });
  const size = [...sizes.values()].reduce((total, each) => total + each, 0);
  return { host, size, repositories: lines.sort((one, other) => other.size - one.size) };
}
