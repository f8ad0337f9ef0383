import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure, UserError } from "../core/errors.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import type { ModelFile } from "./model.ts";
import { maximumFiles } from "./parse.ts";
import { PathSet, pathProblem } from "./paths.ts";

export interface LocalFile {
  readonly path: string;
  readonly source: string;
  readonly size: number;
  readonly isExecutable: boolean;
  /** Changes when it is written to. */
  readonly state: string;
}

const chunk = 1024 * 1024;

/** Skips empty folders. @throws UserError for links, devices and the like, and paths that other machines cannot have */
export async function scanFolder(folder: string, name: string): Promise<readonly LocalFile[]> {
  const scan = new Scan(folder, name);
  await scan.folder("");
  if (scan.files.length === 0)
    throw invalid(name, `${name} has no files in it.`, "Name the folder that has the model.");
  return scan.files;
}

class Scan {
  readonly files: LocalFile[] = [];
  readonly #root: string;
  readonly #name: string;
  readonly #paths = new PathSet();

  constructor(root: string, name: string) {
    this.#root = root;
    this.#name = name;
  }

  async folder(path: string): Promise<void> {
    const entries = await readdir(join(this.#root, path), { withFileTypes: true, encoding: "buffer" }).catch(
      (cause: NodeJS.ErrnoException) => this.#unreadable(path, cause),
    );
    for (const entry of entries) {
      const name = entry.name.toString("utf8");
      const inside = path === "" ? name : `${path}/${name}`;
      const problem = Buffer.from(name).equals(entry.name) ? pathProblem(inside) : "has a name that is not UTF-8";
      if (problem !== undefined) this.#refuse(inside, problem, "Rename it.");
      if (entry.isDirectory()) await this.folder(inside);
      else if (entry.isFile()) await this.#file(inside);
      else {
        const what = entry.isSymbolicLink() ? "is a link" : "is neither a file nor a folder";
        const remedy = "A model contains only files: copy the content, for example with `cp -rL`, or remove it.";
        this.#refuse(inside, what, remedy);
      }
    }
  }

  async #file(path: string): Promise<void> {
    const source = join(this.#root, path);
    const found = await lstat(source).catch((cause: NodeJS.ErrnoException) => this.#unreadable(path, cause));
    if (!found.isFile())
      this.#refuse(path, "changed while it was read", "Try again when nothing writes to the folder.");
    const problem = this.#paths.add(path);
    if (problem !== undefined) this.#refuse(path, problem, "Rename one of them.");
    const count = this.files.push({
      path,
      source,
      size: found.size,
      isExecutable: (found.mode & 0o100) !== 0,
      state: stateOf(found),
    });
    if (count <= maximumFiles) return;
    const many = `${this.#name} has more than ${maximumFiles} files.`;
    throw invalid(this.#name, many, "Put some of them into archives.");
  }

  #refuse(path: string, problem: string, remedy: string): never {
    throw invalid(`${this.#name}/${path}`, `${this.#name}: ${JSON.stringify(path)} ${problem}.`, remedy);
  }

  #unreadable(path: string, cause: NodeJS.ErrnoException): never {
    throw unreadable(path === "" ? this.#name : `${this.#name}/${path}`, cause);
  }
}

function invalid(culprit: string, problem: string, remedy: string): UserError {
  return new UserError({ code: "model-invalid", culprit }, problem, remedy);
}

function unreadable(path: string, cause: NodeJS.ErrnoException): UserError {
  const identity = { code: "file-unreadable", culprit: path } as const;
  return new UserError(identity, `${path} cannot be read (${cause.code}).`, "Make it readable.", { cause });
}

function stateOf({ size, mtimeMs, ctimeMs, ino, dev }: Stats): string {
  return [size, mtimeMs, ctimeMs, ino, dev].join(" ");
}

export async function checkUnchanged(files: readonly LocalFile[], name: string): Promise<void> {
  for (const { path, source, state } of files) {
    const found = await lstat(source).catch(() => undefined);
    if (found && stateOf(found) === state) continue;
    throw invalid(
      `${name}/${path}`,
      `${name}: ${JSON.stringify(path)} changed while it was pushed.`,
      "Push again when nothing writes to the folder; the registry keeps the files that it already has.",
    );
  }
}

/** Reads each once. */
export async function digestFiles(files: readonly LocalFile[]): Promise<(LocalFile & ModelFile)[]> {
  const found: (LocalFile & ModelFile)[] = [];
  for (const file of files) found.push({ ...file, digest: await digestOf(file) });
  return found;
}

async function digestOf({ source }: LocalFile): Promise<Digest> {
  const hash = createHash("sha256");
  try {
    for await (const bytes of createReadStream(source, { highWaterMark: chunk })) hash.update(bytes);
  } catch (error) {
    throw unreadable(source, error as NodeJS.ErrnoException);
  }
  return `sha256:${hash.digest("hex")}`;
}

export async function* readFiles(
  files: readonly Pick<LocalFile, "source" | "size">[],
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  let offset = 0;
  for (const { source, size } of files) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, size);
    offset += size;
    if (from < to) yield* readPart(source, from, to);
  }
}

async function* readPart(source: string, start: number, end: number): AsyncGenerator<Buffer> {
  let left = end - start;
  for await (const bytes of createReadStream(source, { start, end: end - 1, highWaterMark: chunk })) {
    left -= bytes.length;
    yield bytes;
  }
  if (left > 0)
    throw new Failure(
      { code: "model-invalid", culprit: source },
      `${source} became shorter while it was read.`,
      "Push again when nothing writes to it.",
    );
}

export async function digestPack(files: readonly LocalFile[]): Promise<{ digest: Digest; size: number }> {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const bytes: Buffer[] = [];
  for await (const part of readFiles(files, 0, size)) bytes.push(part);
  return { digest: sha256(Buffer.concat(bytes)), size };
}
