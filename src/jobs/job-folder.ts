import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { replaceFile } from "../core/files.ts";
import { stateFolder } from "../core/user-folders.ts";
import type { JobStatus } from "./engine.ts";
import type { Program } from "./program.ts";

export interface JobRecord extends JobStatus {
  /** The running attempt: the leader of a process group, and its start in ticks since boot. */
  readonly group?: { readonly pid: number; readonly startTime: string };
  /** The supervisor, and its start. */
  readonly pid?: number;
  readonly startTime?: string;
}

export type JobFolder = Readonly<ReturnType<typeof folderOf>>;

function folderOf(root: string, id: string) {
  const path = join(root, id);
  return {
    id,
    path,
    /** Held by the supervisor while it lives. */
    lock: join(path, "lock"),
    stdout: join(path, "stdout"),
    stderr: join(path, "stderr"),
    reply: join(path, "reply.json"),
    /** Created to cancel the job. */
    cancelled: join(path, "cancelled"),
  };
}

export function jobsFolder(env: Environment): string {
  return join(stateFolder(env), "jobs");
}

/** A name as part of a job's ID: small letters, digits and dashes. */
export function slugOf(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .slice(0, 40)
      .replaceAll(/^-+|-+$/g, "") || "job"
  );
}

export async function makeJobFolder(root: string, program: Program, now: Date): Promise<JobFolder> {
  const folder = folderOf(root, `${slugOf(program.name)}-${randomBytes(4).toString("hex")}`);
  const draft = folderOf(root, `.${folder.id}.draft`);
  await mkdir(root, { recursive: true, mode: 0o700 });
  await mkdir(draft.path, { mode: 0o700 });
  try {
    for (const path of [draft.stdout, draft.stderr]) await writeFile(path, "", { mode: 0o600 });
    await replaceFile(join(draft.path, "program.json"), JSON.stringify(program));
    const { image, commit } = program;
    const about = { ...(image === undefined ? {} : { image }), ...(commit === undefined ? {} : { commit }) };
    await writeRecord(draft, { id: folder.id, state: "queued", attempts: 0, ...about, submitted: now.toISOString() });
    await rename(draft.path, folder.path);
  } catch (error) {
    await rm(draft.path, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

export function containerName(id: string): string {
  return `slipway-job-${id}`;
}

export function findJobFolder(root: string, id: string): JobFolder {
  const folder = folderOf(root, id);
  if (/^[a-z0-9-]+$/.test(id) && existsSync(join(folder.path, "record.json"))) return folder;
  throw new UserError(
    { code: "job-not-found", culprit: id },
    `There is no job ${id} on this machine.`,
    "`slipway job ls` lists the jobs.",
  );
}

export async function removeJobFolder(root: string, { id, path }: JobFolder): Promise<void> {
  const removed = join(root, `.${id}.removed`);
  await rename(path, removed);
  await rm(removed, { recursive: true, force: true });
}

/** Milliseconds after which an incomplete folder is one that a killed process left. */
const abandonedAfter = 24 * 60 * 60 * 1000;

export async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    const path = join(root, name);
    const status = name.startsWith(".") ? await lstat(path).catch(() => undefined) : undefined;
    if (status && status.mtimeMs < Date.now() - abandonedAfter) await rm(path, { recursive: true, force: true });
  }
}

export async function listJobFolders(root: string): Promise<JobFolder[]> {
  const names = await readdir(root).catch(() => []);
  // Folders that are being made or removed begin with a dot.
  const folders = names.filter((name) => !name.startsWith(".")).map((name) => folderOf(root, name));
  return folders.filter(({ path }) => existsSync(join(path, "record.json")));
}

export async function readProgram(folder: JobFolder): Promise<Program> {
  return JSON.parse(await readFile(join(folder.path, "program.json"), "utf8")) as Program;
}

export async function readRecord(folder: JobFolder): Promise<JobRecord> {
  return JSON.parse(await readFile(join(folder.path, "record.json"), "utf8")) as JobRecord;
}

export async function writeRecord(folder: JobFolder, record: JobRecord): Promise<void> {
  await replaceFile(join(folder.path, "record.json"), JSON.stringify(record));
}
