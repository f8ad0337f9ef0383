import { basename } from "node:path";
import { UserError } from "../core/errors.ts";
import { userPath } from "../core/user-path.ts";
import type { FileForm } from "../functions/file-form.ts";
import { ownPlace } from "./own-place.ts";

/** Bytes of a file that `read` takes into memory. */
const maximumRead = 1024 * 1024 * 1024;

/**
 * A file or folder that functions take and return. {@link file} and {@link folder} make it. Its content travels beside
 * the JSON, by its digest, and arrives as a file.
 */
export class FileValue {
  readonly kind: "file" | "folder";
  /** Last part of the path that it had when it was made. */
  readonly name: string;
  readonly #given: string | undefined;
  #path: string | undefined;
  #form: FileForm | undefined;
  #stored: Promise<FileForm> | undefined;

  /** Use {@link file} or {@link folder}. */
  constructor(source: { readonly kind: "file" | "folder"; readonly path: string } | FileForm) {
    this.kind = source.kind as "file" | "folder";
    this.#given = "path" in source ? userPath(source.path) : undefined;
    this.name = this.#given === undefined ? (source as FileForm).name : basename(this.#given);
    this.#path = this.#given;
    if (!("path" in source)) this.#form = source;
  }

  /** `sha256:…` of the file, or of a tar of the folder. Known once a function took or returned it. */
  get digest(): string {
    return this.#known("digest").digest;
  }

  /** Bytes of the file, or of a tar of the folder. Known once a function took or returned it. */
  get size(): number {
    return this.#known("size").size;
  }

  /**
   * Path of the file or folder on this machine: in a function, and of a value that was made here. Do not change what is
   * there.
   *
   * @throws UserError for what a call returned. {@link save} brings it to a path
   */
  get path(): string {
    if (this.#path !== undefined) return this.#path;
    throw this.#refused("is not on this machine yet", "Bring it to a path with save(path).");
  }

  /**
   * Brings it to a path, relative to where `bazel run` was called. It is there whole, or not at all.
   *
   * @param path of the file, which is replaced if there is one; or of the folder, which must be new or empty
   * @throws Failure if its content is gone or damaged; UserError if the path cannot be written
   */
  async save(path: string): Promise<void> {
    const form = await this.store(false);
    await ownPlace().save(form, path);
  }

  /**
   * Reads a file of at most 1 GiB into memory.
   *
   * @throws UserError for a folder and for a larger file; Failure if its content is gone or damaged
   */
  async read(): Promise<Uint8Array> {
    if (this.kind === "folder") throw this.#refused("is a folder", "Bring it to a path with save(path).");
    const form = await this.store(false);
    if (form.size > maximumRead) throw this.#refused(`has ${form.size} bytes`, "Bring it to a path with save(path).");
    return ownPlace().read(form);
  }

  /** @internal Of content that is stored. */
  get form(): FileForm {
    return this.#known("content");
  }

  /** @internal Takes the content of a value that was made here, once. */
  async store(mayLink: boolean): Promise<FileForm> {
    if (this.#form !== undefined || this.#given === undefined) return this.#known("content");
    const { kind, name } = this;
    this.#stored ??= ownPlace()
      .put(this.#given, kind, mayLink)
      .then((content) => ({ kind, name, ...content }));
    // A file that could not be read may be there later.
    this.#stored.catch(() => {
      this.#stored = undefined;
    });
    this.#form = await this.#stored;
    return this.#form;
  }

  /** @internal Brings the content of a value that a function got to this machine. */
  async prepare(): Promise<void> {
    this.#path = await ownPlace().prepare(this.#known("content"));
  }

  #known(what: string): FileForm {
    if (this.#form !== undefined) return this.#form;
    throw this.#refused(`has no ${what} yet`, "Hand it to a function, or return it from one, first.");
  }

  #refused(problem: string, remedy: string): UserError {
    return new UserError({ code: "value-invalid", culprit: this.name }, `${this.name} ${problem}.`, remedy);
  }
}

/**
 * A file that a function returns or takes. Its content is read when the call or the function hands it on.
 *
 * @param path relative to where `bazel run` was called; in a function, to the current folder
 */
export function file(path: string): FileValue {
  return new FileValue({ kind: "file", path });
}

/**
 * A folder that a function returns or takes, with all files, folders and symbolic links in it. Of modes, only whether a
 * file is executable is kept.
 *
 * @param path relative to where `bazel run` was called; in a function, to the current folder
 */
export function folder(path: string): FileValue {
  return new FileValue({ kind: "folder", path });
}

/**
 * A folder for large files that a function makes, on the disk of the machine. A container's `/tmp` is in memory. It is
 * removed when the function ends. Files in it that the function returns are not copied.
 */
export function scratchFolder(): string {
  return ownPlace().scratch();
}
