import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, watch } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { findContainerClient, requireContainerClient } from "../containers/client.ts";
import { removeContainer } from "../containers/run.ts";
import type { Mount } from "../containers/run-description.ts";
import { requireInPlace, volumeMounts } from "../containers/volumes.ts";
import type { Environment } from "../core/environment.ts";
import { parseExactly } from "../core/exact-json.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { takeLock } from "../core/lock.ts";
import { killGroup, killMarked, signalProcess } from "../core/process-group.ts";
import { startTimeOf } from "../core/processes.ts";
import { parseReply, type Reply } from "../core/protocol.ts";
import { started } from "../core/run-program.ts";
import { scopedSignal } from "../core/scoped-signal.ts";
import { userName } from "../core/user-name.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { findSecrets } from "../secrets/variables.ts";
import {
  endedBefore,
  hasEnded,
  type JobEngine,
  type JobOutcome,
  type JobStatus,
  keptFor,
  type ListedJob,
  type LogChunk,
  type ShownLog,
  stillRuns,
} from "./engine.ts";
import {
  containerName,
  findJobFolder,
  type JobFolder,
  type JobRecord,
  jobsFolder,
  listJobFolders,
  makeJobFolder,
  readProgram,
  readRecord,
  removeAbandoned,
  removeJobFolder,
  writeRecord,
} from "./job-folder.ts";
import { jobVariable, type Program } from "./program.ts";

/** Milliseconds between looks at a job's files, if they cannot be watched. */
const interval = 500;

/**
 * In processes and containers. Each job has a supervisor, which outlives this process and records the job's end. If it
 * was killed, the job has failed, and the next reader ends its processes.
 */
export class LocalEngine implements JobEngine {
  readonly #root: string;
  readonly #env: Environment;
  readonly #supervisor: readonly string[];

  /** @param supervisor command that calls `superviseJob`; the job's id is added */
  constructor(env: Environment, supervisor: readonly string[]) {
    this.#root = jobsFolder(env);
    this.#env = env;
    this.#supervisor = supervisor;
  }

  async submit(program: Program): Promise<string> {
    await findSecrets(program.env, [new LocalSecrets(this.#env)]);
    const volumes = await this.#mountsOf(program);
    await this.#forgetOld();
    const folder = await makeJobFolder(this.#root, { ...program, mounts: [...program.mounts, ...volumes] }, new Date());
    const [command = "", ...args] = this.#supervisor;
    const starting = spawn(command, [...args, folder.id], {
      // This process may belong to a job, which must not end the new one.
      env: { ...this.#env, [jobVariable]: undefined },
      detached: true,
      stdio: "ignore",
      cwd: "/",
    });
    const child = await started(starting, command, `Check that ${command} can be executed.`);
    child.unref();
    return folder.id;
  }

  async status(id: string): Promise<JobStatus> {
    return publicPart(await this.#settled(findJobFolder(this.#root, id)));
  }

  async isFunction(id: string): Promise<boolean> {
    return (await readProgram(findJobFolder(this.#root, id))).isFunction;
  }

  async *logs(
    id: string,
    options: ShownLog & { readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncGenerator<LogChunk> {
    const folder = findJobFolder(this.#root, id);
    const { tail } = options;
    const positions = {
      stdout: await startOfTail(folder.stdout, tail),
      stderr: await startOfTail(folder.stderr, tail),
    };
    for await (const record of this.#records(folder, options.signal)) {
      const isLast = !options.follow || hasEnded(record);
      for (const stream of ["stdout", "stderr"] as const) {
        for await (const data of createReadStream(folder[stream], { start: positions[stream] })) {
          positions[stream] += data.length;
          yield { stream, data };
        }
      }
      if (isLast) return;
    }
  }

  async cancel(id: string): Promise<void> {
    const folder = findJobFolder(this.#root, id);
    await writeFile(folder.cancelled, "", { mode: 0o600 });
    let isAsked = false;
    using _notice = heartbeat(`Waiting for job ${id} to end`, { after: patience });
    for await (const record of this.#records(folder)) {
      if (hasEnded(record)) return;
      if (!isAsked && record.pid !== undefined) isAsked = signalProcess(record.pid, record.startTime, "SIGTERM");
    }
  }

  async collect(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<JobOutcome> {
    const folder = findJobFolder(this.#root, id);
    let status: JobStatus | undefined;
    for await (const record of this.#records(folder, signal)) {
      status = publicPart(record);
      if (hasEnded(record)) break;
    }
    const text = await readFile(folder.reply, "utf8").catch(() => undefined);
    return {
      status: status as JobStatus,
      ...(text === undefined ? {} : { reply: parseReply(text, parseExactly) as Reply }),
    };
  }

  async remove(id: string): Promise<void> {
    const folder = findJobFolder(this.#root, id);
    if (!hasEnded(await this.#settled(folder))) throw stillRuns(id);
    await removeJobFolder(this.#root, folder);
  }

  async list(): Promise<ListedJob[]> {
    const folders = await listJobFolders(this.#root);
    const user = userName();
    const found = await Promise.all(
      folders.map(async (folder): Promise<ListedJob | undefined> => {
        try {
          const [record, { name, image }] = await Promise.all([this.#settled(folder), readProgram(folder)]);
          return { ...publicPart(record), name, engine: image === undefined ? "process" : "container", user };
        } catch (error) {
          // Another process removed it meanwhile.
          if (!existsSync(folder.path)) return undefined;
          throw error;
        }
      }),
    );
    const jobs = found.filter((job) => job !== undefined);
    return jobs.sort((one, other) => (one.submitted < other.submitted ? -1 : 1));
  }

  async #mountsOf({ image, volumes = {} }: Program): Promise<readonly Mount[]> {
    if (Object.keys(volumes).length === 0) return [];
    if (image !== undefined) return volumeMounts(volumes, requireContainerClient(this.#env), this.#env);
    await requireInPlace(volumes);
    return [];
  }

  async #forgetOld(): Promise<void> {
    await removeAbandoned(this.#root);
    const old = endedBefore(await this.list(), Date.now() - keptFor);
    // Another process may do the same.
    await Promise.allSettled(old.map(({ id }) => this.remove(id)));
  }

  async #settled(folder: JobFolder): Promise<JobRecord> {
    const record = await readRecord(folder);
    if (hasEnded(record)) return record;
    // A supervisor takes a moment to start.
    if (record.pid === undefined && Date.now() - Date.parse(record.submitted) < 10_000) return record;
    using lock = takeLock(folder.lock);
    if (!lock) return record;
    const last = await readRecord(folder);
    if (hasEnded(last)) return last;
    await this.#removeRemains(folder, last);
    const { group: _, ...rest } = last;
    const reason = "Its supervisor was killed, or this machine was restarted.";
    const lost: JobRecord = { ...rest, state: "failed", reason, ended: new Date().toISOString() };
    await writeRecord(folder, lost);
    return lost;
  }

  async *#records(folder: JobFolder, signal?: AbortSignal): AsyncGenerator<JobRecord> {
    // Without a watcher, the interval does.
    const watcher = watch(folder.path).on("error", () => {});
    try {
      for (;;) {
        using over = scopedSignal(signal);
        const change = Promise.race([once(watcher, "change", over), delay(interval, undefined, over)]);
        const changed = change.catch(() => signal?.throwIfAborted());
        changed.catch(() => {});
        yield await this.#settled(folder);
        await changed;
      }
    } finally {
      watcher.close();
    }
  }

  async #removeRemains(folder: JobFolder, { group }: JobRecord): Promise<void> {
    if (group && startTimeOf(group.pid) === group.startTime) await killGroup(group.pid);
    await killMarked(jobVariable, folder.id);
    if ((await readProgram(folder)).image === undefined) return;
    const search = findContainerClient(this.#env);
    if ("client" in search) await removeContainer(search.client, containerName(folder.id), this.#env);
  }
}

async function startOfTail(path: string, lines: number | undefined): Promise<number> {
  if (lines === undefined) return 0;
  const starts = [0];
  let position = 0;
  for await (const data of createReadStream(path)) {
    for (let at = data.indexOf("\n"); at >= 0; at = data.indexOf("\n", at + 1)) {
      starts.push(position + at + 1);
      if (starts.length > lines + 1) starts.shift();
    }
    position += data.length;
  }
  // No line begins at the end of the file.
  const begun = starts.filter((start) => start < position);
  return lines === 0 ? position : (begun.at(-lines) ?? 0);
}

function publicPart({ group: _, pid: __, startTime: ___, ...status }: JobRecord): JobStatus {
  return status;
}
