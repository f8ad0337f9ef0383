import { rmSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { formatBytes } from "../config/quantity.ts";
import type { Environment } from "../core/environment.ts";
import { messageOf } from "../core/errors.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { type Digest, splitDigest } from "../oci/digest.ts";
import type { FileContent, FilePlace } from "../results/file.ts";
import { lost, makeFilesFolder } from "./files-folder.ts";

/** The content of files of a program's calls: in a folder of this machine, and in the repositories of its images. */
export class ProgramFiles {
  /** Undefined: this user can have none, and only files need it. */
  readonly folder: string | undefined;
  readonly #env: Environment;
  readonly #tell: (text: string) => void;
  readonly #places = new Map<string, Promise<FilePlace>>();
  /** The image in whose repository content is that came from a call. */
  readonly #origins = new Map<string, string>();
  #isRefused = false;

  constructor(env: Environment, tell: (text: string) => void) {
    this.#env = env;
    this.#tell = tell;
    try {
      this.folder = makeFilesFolder(env);
    } catch {
      this.folder = undefined;
    }
  }

  /** Brings content of arguments to where workers find it: the folder, or the image's repository for pods. */
  async send(contents: readonly FileContent[], image: string, isHere: boolean): Promise<void> {
    await Promise.all(
      contents.map(async (content) => {
        const origin = this.#origins.get(content.digest);
        if (isHere) {
          if (origin !== undefined && !(await this.#has(content))) await this.fetch(content);
          return;
        }
        const isElsewhere = origin !== undefined && repositoryOf(origin) !== repositoryOf(image);
        // Another function's image may be in another repository.
        if (isElsewhere && !(await this.#has(content))) await this.fetch(content);
        await this.#store(content, image);
      }),
    );
  }

  /** Takes note of where content of a kept result is. */
  know(contents: readonly FileContent[], image: string): void {
    for (const { digest } of contents) this.#origins.set(digest, image);
  }

  /** Keeps the content of a result in the registry: that on this machine, and that which a pod has sent there. */
  async receive(contents: readonly FileContent[], image: string, isHere: boolean): Promise<void> {
    this.know(contents, image);
    await Promise.all(
      contents.map((content) =>
        this.#store(content, image).catch((error) => this.#refused(content, image, isHere, error)),
      ),
    );
  }

  async fetch({ digest, size }: FileContent): Promise<void> {
    const image = this.#origins.get(digest);
    if (image === undefined || this.folder === undefined) throw lost(digest);
    await this.#move("Fetching", size, digest, async () => {
      const { fetchFile } = await import("../results/file.ts");
      await fetchFile(await this.#placeOf(image), { digest, size }, this.#pathOf(digest));
    });
  }

  async close(): Promise<void> {
    for (const place of this.#places.values()) await place.then(({ client }) => client.close()).catch(() => {});
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }

  async #store(content: FileContent, image: string): Promise<void> {
    const path = (await this.#has(content)) ? this.#pathOf(content.digest) : undefined;
    await this.#move("Storing", content.size, content.digest, async () => {
      const { storeFile } = await import("../results/file.ts");
      await storeFile(await this.#placeOf(image), content, path);
    });
  }

  /** Content is good until the program ends, also if the user may not push. */
  async #refused(content: FileContent, image: string, isHere: boolean, error: unknown): Promise<void> {
    if (isHere && !(await this.#has(content))) throw error;
    const where = repositoryOf(image);
    if (!this.#isRefused)
      this.#tell(
        `Files of results cannot be stored in ${where}, and last until this program ends: ${messageOf(error)}`,
      );
    this.#isRefused = true;
  }

  async #move(verb: string, size: number, digest: Digest, act: () => Promise<void>): Promise<void> {
    const write = (line: string) => this.#tell(line);
    const endNotice = heartbeat(`${verb} ${formatBytes(size)}, ${digest.slice(0, 19)}`, { after: patience, write });
    await act().finally(endNotice);
  }

  #pathOf(digest: Digest): string {
    return join(this.folder ?? "", splitDigest(digest).hex);
  }

  /** A link or a pipe, which a container can make, is not content. */
  async #has({ digest }: FileContent): Promise<boolean> {
    if (this.folder === undefined) return false;
    return lstat(this.#pathOf(digest)).then(
      (status) => status.isFile(),
      () => false,
    );
  }

  #placeOf(image: string): Promise<FilePlace> {
    const key = repositoryOf(image);
    const known = this.#places.get(key) ?? this.#openPlace(image);
    this.#places.set(key, known);
    known.catch(() => this.#places.delete(key));
    return known;
  }

  /** Only files need a registry's client, which takes long to load. */
  async #openPlace(image: string): Promise<FilePlace> {
    const [{ parseReference }, { openByName }] = await Promise.all([
      import("../oci/reference.ts"),
      import("../registry/open-by-name.ts"),
    ]);
    const { registry, repository } = parseReference(image);
    return { client: await openByName(registry, this.#env), repository };
  }
}

function repositoryOf(image: string): string {
  return image.split("@", 1)[0] ?? image;
}
