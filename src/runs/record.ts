import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { messageOf } from "../core/errors.ts";
import { stateFolder } from "../core/user-folders.ts";
import {
  maximumBytes,
  maximumFile,
  maximumOutput,
  maximumRuns,
  type RunEvent,
  type RunStart,
  runsFolder,
} from "./events.ts";

type Event = RunEvent extends infer Each ? (Each extends RunEvent ? Omit<Each, "at"> : never) : never;

/** Room for the end of a full file. */
const endBytes = 1024;
/** Milliseconds for which events wait for others, so that thousands of calls cost few writes; and bytes. */
const writeTime = 100;
const writeBytes = 64 * 1024;

/** Records what a program does, for its user alone. Never makes the program fail: calls `onNotice` once instead. */
export class RunRecord {
  #file: number | undefined;
  #size = 0;
  #output = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #onNotice: (text: string) => void;

  constructor(env: Environment, start: RunStart, onNotice: (text: string) => void) {
    this.#onNotice = onNotice;
    // In sandboxes, and for users without a home, there is no such folder: nobody asked for a record.
    try {
      const folder = join(stateFolder(env), runsFolder);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      prune(folder);
      const time = new Date().toISOString().replace(/[-:.]/g, "");
      this.#file = openSync(join(folder, `${time}-${randomBytes(4).toString("hex")}.jsonl`), "ax", 0o600);
    } catch {
      return;
    }
    this.add({ run: start });
  }

  add(event: Event): void {
    const isEnd = "end" in event;
    if (this.#file === undefined || (this.#size > maximumFile && !isEnd)) return;
    if ("output" in event) {
      this.#output += event.output.text.length;
      if (this.#output > maximumOutput) return;
    }
    const line = Buffer.from(`${JSON.stringify({ at: Date.now(), ...event })}\n`);
    this.#size += line.length;
    const isFull = this.#size > maximumFile - endBytes && !isEnd;
    if (isFull) this.#size = maximumFile + 1;
    const full = Buffer.from(`${JSON.stringify({ at: Date.now(), full: true })}\n`);
    this.#waiting.push(isFull ? full : line);
    this.#waitingBytes += line.length;
    const canWait = "item" in event || "output" in event;
    if (this.#waitingBytes > writeBytes || !canWait) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), writeTime).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const data = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#file !== undefined) this.#try(() => writeSync(this.#file as number, data));
  }

  end(status: number): void {
    this.add({ end: { status } });
    if (this.#file !== undefined) this.#try(() => closeSync(this.#file as number));
    this.#file = undefined;
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#file = undefined;
      this.#onNotice(`This run is not recorded: ${messageOf(error).split("\n", 1)[0]}`);
    }
  }
}

function prune(folder: string): void {
  let bytes = 0;
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  for (const [age, name] of names.sort().reverse().entries()) {
    const path = join(folder, name);
    // Another program may remove it at the same time.
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (age >= maximumRuns - 1 || bytes > maximumBytes) rmSync(path, { force: true });
  }
}

/** The commit of a workspace, if it is known. Reads git's files, because git would take longer to start. */
export function commitOf(workspace: string | undefined): string | undefined {
  if (!workspace) return undefined;
  try {
    const head = readFileSync(join(workspace, ".git/HEAD"), "utf8").trim();
    const branch = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1];
    const commit = branch === undefined ? head : commitOfBranch(workspace, branch);
    return commit !== undefined && /^[0-9a-f]{40,64}$/.test(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}

function commitOfBranch(workspace: string, branch: string): string | undefined {
  try {
    return readFileSync(join(workspace, ".git", branch), "utf8").trim();
  } catch {
    const packed = readFileSync(join(workspace, ".git/packed-refs"), "utf8").split("\n");
    return packed.find((line) => line.endsWith(` ${branch}`))?.split(" ", 1)[0];
  }
}
