import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  constants,
  createWriteStream,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
} from "node:fs";
import { link, lstat, open, rename, rm, stat, symlink } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Failure, messageOf, UserError } from "../core/errors.ts";
import { removedAtEnd } from "../core/interrupts.ts";
import { userPath } from "../core/user-path.ts";
import type { FileForm } from "../functions/file-form.ts";
import { type Digest, splitDigest } from "../oci/digest.ts";
import { readWhole, tarOf, unpackTar } from "./folder-tar.ts";

export type Content = Pick<FileForm, "digest" | "size">;

export interface Remote {
  /** Brings content to a path, whole and verified, or fails. */
  readonly fetch: (content: Content, path: string) => Promise<void>;
  readonly store?: (content: Content, path: string) => Promise<void>;
}

/** A folder of files named by the hex of their sha256. Keep python/slipway/_files.py the same. */
export class FilePlace {
  readonly folder: string;
  readonly #remote: Remote;
  /** Content that this process has seen whole. A container may have changed it since. */
  readonly #verified = new Map<Digest, Promise<void>>();
  #scratch: string | undefined;
  #prepared = 0;

  constructor(folder: string, remote: Remote) {
    this.folder = folder;
    this.#remote = remote;
  }

  /** Path of content, whether it is here or not. */
  pathOf({ digest }: Pick<Content, "digest">): string {
    return join(this.folder, splitDigest(digest).hex);
  }

  /** Whether it is here. A link or a pipe, which a container can make, is not content. */
  has(content: Content): boolean {
    return lstatSync(this.pathOf(content), { throwIfNoEntry: false })?.isFile() === true;
  }

  /**
   * A new folder of this process on the disk of this machine, which goes with the process.
   *
   * Slipway must be able to remove it, and what it is in may belong to another user: the one of a container.
   */
  scratch(): string {
    if (this.#scratch === undefined) {
      const folder = mkdtempSync(join(this.folder, "scratch-"));
      this.#scratch = folder;
      removedAtEnd(() => rmSync(folder, { recursive: true, force: true }));
      chmodSync(folder, 0o777);
    }
    return this.#scratch;
  }

  /** Removes {@link scratch}. */
  clear(): void {
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
    this.#scratch = undefined;
  }

  /** Takes a file or folder. @param mayLink it changes no more, so a file of {@link scratch} is not copied */
  async put(source: string, kind: "file" | "folder", mayLink: boolean): Promise<Content> {
    return this.#take(async (target) => {
      const status = await stat(source).catch((error: NodeJS.ErrnoException) => error);
      if (status instanceof Error)
        throw unreadable(source, status.code === "ENOENT" ? "does not exist" : status.message);
      if (kind === "folder") {
        if (!status.isDirectory()) throw unreadable(source, "is not a folder", "Hand it on with file().");
        return writeHashed(tarOf(source), target);
      }
      if (!status.isFile()) throw unreadable(source, "is not a file", "Hand a folder on with folder().");
      const isOwn = this.#scratch !== undefined && resolve(source).startsWith(this.#scratch + sep);
      const isLinked =
        mayLink && isOwn && (await lstat(source)).isFile() && (await link(source, target).then(...either));
      const file = await open(source).catch((error: Error) => {
        throw unreadable(source, error.message);
      });
      try {
        const pieces = readWhole(file, status.size, source);
        if (isLinked) await file.chmod(0o444);
        return isLinked ? await hashed(pieces) : await writeHashed(pieces, target);
      } finally {
        await file.close();
      }
    });
  }

  async putPieces(pieces: readonly Uint8Array[]): Promise<Content> {
    return this.#take((target) => writeHashed(Readable.from(pieces, { objectMode: true }), target));
  }

  async #take(write: (target: string) => Promise<Content>): Promise<Content> {
    const partial = join(this.folder, `.${randomBytes(8).toString("hex")}`);
    try {
      const content = await write(partial);
      await rename(partial, this.pathOf(content));
      this.#verified.set(content.digest, Promise.resolve());
      await this.#remote.store?.(content, this.pathOf(content));
      return content;
    } finally {
      await rm(partial, { force: true });
    }
  }

  /** Makes sure that content is here. @returns its path @throws Failure if it is damaged, or nobody has it */
  async locate(content: Content): Promise<string> {
    const { digest } = content;
    const path = this.pathOf(content);
    const verifying = this.#verified.get(digest) ?? this.#verify(content, path);
    this.#verified.set(digest, verifying);
    verifying.catch(() => this.#verified.delete(digest));
    await verifying;
    return path;
  }

  async #verify(content: Content, path: string): Promise<void> {
    if (!existsSync(path)) return this.#remote.fetch(content, path);
    for await (const _ of verified(content, path));
  }

  /** Verifies the content while it is read: containers can write to the folder of a program. */
  async #contentOf(content: Content): Promise<AsyncIterable<Buffer>> {
    const path = this.pathOf(content);
    if (!existsSync(path)) await this.locate(content);
    return verified(content, path);
  }

  /** Brings a file or folder, by its own name, to a new folder of {@link scratch}. */
  async prepare(form: FileForm): Promise<string> {
    const content = await this.locate(form);
    this.#prepared += 1;
    const folder = join(this.scratch(), String(this.#prepared));
    mkdirSync(folder);
    const path = join(folder, form.name || "file");
    if (form.kind === "folder") await unpack(form, verified(form, content), path);
    else await symlink(content, path);
    return path;
  }

  /** Brings it to a path, whole or not at all. Replaces a file; a folder must be new or empty. */
  async save(form: FileForm, path: string): Promise<void> {
    const pieces = await this.#contentOf(form);
    const target = userPath(path);
    const partial = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}`);
    const release = removedAtEnd(() => rmSync(partial, { recursive: true, force: true }));
    try {
      mkdirSync(dirname(target), { recursive: true });
      if (form.kind === "folder") await unpack(form, pieces, partial);
      else await pipeline(pieces, createWriteStream(partial, { flags: "wx" }));
      await rename(partial, target);
    } catch (error) {
      const [problem] = messageOf(error).split(", ");
      if (!(error instanceof Error) || !("syscall" in error)) throw error;
      throw new UserError(
        { code: "file-unwritable", culprit: path },
        `${path} cannot be written: ${problem}.`,
        "Save it to a path where nothing is.",
      );
    } finally {
      release();
      await rm(partial, { recursive: true, force: true });
    }
  }

  async read(content: Content): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(content.size);
    let done = 0;
    for await (const piece of await this.#contentOf(content)) done += piece.copy(bytes, done);
    return bytes;
  }
}

const either = [() => true, () => false] as const;

async function unpack({ digest }: Content, tar: AsyncIterable<Buffer>, folder: string): Promise<void> {
  await unpackTar(tar, folder).catch((error: unknown) => {
    throw error instanceof RangeError ? damaged(digest, messageOf(error)) : error;
  });
}

/** The pieces of a file. Fails at its end if they are not the content, so that nobody may trust any piece before. */
async function* verified({ digest, size }: Content, path: string): AsyncGenerator<Buffer> {
  // A container may have put a link or a pipe there.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  try {
    const status = await file?.stat();
    if (file === undefined || !status?.isFile() || status.size !== size) throw damaged(digest, path);
    const hash = createHash("sha256");
    for await (const piece of readWhole(file, size, path)) {
      hash.update(piece);
      yield piece;
    }
    if (`sha256:${hash.digest("hex")}` !== digest) throw damaged(digest, path);
  } finally {
    await file?.close();
  }
}

async function writeHashed(pieces: AsyncIterable<Buffer>, path: string): Promise<Content> {
  const file = await open(path, "wx");
  try {
    // Not by its path: a container may have put a link there.
    await file.chmod(0o444);
    return await hashed(pieces, (piece) => file.writeFile(piece));
  } finally {
    await file.close();
  }
}

async function hashed(
  pieces: AsyncIterable<Buffer>,
  onPiece: (piece: Buffer) => Promise<void> | void = () => {},
): Promise<Content> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    size += piece.length;
    await onPiece(piece);
  }
  return { digest: `sha256:${hash.digest("hex")}`, size };
}

function unreadable(path: string, problem: string, remedy = "Check the path."): UserError {
  return new UserError({ code: "file-unreadable", culprit: path }, `${path} ${problem}.`, remedy);
}

export function damaged(digest: Digest, where: string): Failure {
  return new Failure(
    { code: "content-lost", culprit: digest },
    `The content ${digest} of a function's file is damaged (${where}).`,
    "Call the function that made it again.",
  );
}
