import { createHash } from "node:crypto";
import { decompressLayer } from "../../../layer/decompress.ts";
import { listTar } from "../../../layer/read.ts";
import type { ImageConfig } from "../../../oci/config.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { checkPath, TooManyFiles } from "../file-table.ts";
import { type NamedImage, type PlatformImage, readConfig } from "../named-image.ts";
import { type Found, ImageTree } from "./tree.ts";
import { findUser, type ImageUser } from "./user.ts";

/** Bytes. Scripts and ELF headers are smaller. */
const longestHead = 65_536;

export interface Mistake {
  readonly where: string;
  readonly problem: string;
  readonly remedy: string;
}

export class CheckedImage {
  readonly config: ImageConfig;
  readonly tree = new ImageTree();
  readonly absent: Mistake[] = [];
  /** No engine could unpack them. */
  readonly damaged: Mistake[] = [];
  readonly #image: NamedImage;
  readonly #layers: readonly Descriptor[];
  #user: ImageUser | string | undefined;

  private constructor(image: NamedImage, config: ImageConfig, layers: readonly Descriptor[]) {
    this.#image = image;
    this.config = config;
    this.#layers = layers;
  }

  static async read(image: NamedImage, { manifest, descriptor }: PlatformImage): Promise<CheckedImage> {
    const config = await readConfig(image, manifest, descriptor.digest);
    const checked = new CheckedImage(image, config, manifest.layers);
    await checked.#readLayers();
    return checked;
  }

  /** Otherwise a missing file may be in an unread layer. */
  get isWhole(): boolean {
    return this.absent.length + this.damaged.length === 0;
  }

  variable(name: string): string | undefined {
    const entry = this.config.config?.Env?.find((each) => each.startsWith(`${name}=`));
    return entry?.slice(name.length + 1);
  }

  /** Engines use Debian's default if the image sets no `PATH`. */
  get searchPath(): readonly string[] {
    const path = this.variable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return path.split(":").filter((folder) => folder !== "");
  }

  /** A string: the name of an unknown user. */
  async user(): Promise<ImageUser | string> {
    this.#user ??= findUser(
      this.config.config?.User ?? "",
      await this.#text("/etc/passwd"),
      await this.#text("/etc/group"),
    );
    return this.#user;
  }

  async head({ node }: Found): Promise<Buffer> {
    const layer = this.#layers[node.layer];
    if (node.type !== "file" || !layer) return Buffer.alloc(0);
    let at = 0;
    const tar = listTar(decompressLayer(this.#open(layer)), () => (at === node.entry ? longestHead : 0));
    for await (const { head = [] } of tar) if (at++ === node.entry) return Buffer.from(head);
    return Buffer.alloc(0);
  }

  async #text(path: string): Promise<string> {
    const found = this.tree.find(path);
    return "node" in found ? (await this.head(found)).toString() : "";
  }

  #open(layer: Descriptor): AsyncIterable<Uint8Array> {
    return this.#image.client.getBlob(this.#image.repository, layer);
  }

  async #readLayers(): Promise<void> {
    const { diff_ids } = this.config.rootfs;
    if (diff_ids.length !== this.#layers.length) {
      this.damaged.push({
        where: "rootfs.diff_ids",
        problem: `the configuration has ${diff_ids.length} layers, the manifest ${this.#layers.length}`,
        remedy: "Make the image again: its manifest and configuration are not of the same image.",
      });
    }
    for (const [index, layer] of this.#layers.entries()) {
      if (await this.#isAbsent(layer)) {
        this.absent.push({
          where: `layers[${index}] ${layer.digest}`,
          problem: "the registry does not have this layer",
          remedy: "Push the image again, whole.",
        });
      }
    }
    if (this.absent.length > 0) return;
    for (const [index, layer] of this.#layers.entries()) await this.#readLayer(layer, index);
  }

  /** Some registries do not support HEAD for blobs, so a missing blob is checked again with GET. */
  async #isAbsent(layer: Descriptor): Promise<boolean> {
    const { client, repository } = this.#image;
    if ((await client.headBlob(repository, layer.digest)) !== undefined) return false;
    try {
      for await (const _ of this.#open(layer)) return false;
      return layer.size > 0;
    } catch {
      return true;
    }
  }

  async #readLayer(layer: Descriptor, index: number): Promise<void> {
    const hash = createHash("sha256");
    const where = `layers[${index}] ${layer.digest}`;
    const damage = (problem: string) =>
      this.damaged.push({ where, problem, remedy: "Make the image again: no engine unpacks this layer." });
    let at = 0;
    try {
      for await (const entry of listTar(hashed(decompressLayer(this.#open(layer)), hash))) {
        checkPath(entry.path);
        checkPath(entry.target);
        const dangling = this.tree.add(entry, index, at++);
        // One says enough: a layer may have millions.
        if (dangling !== undefined && this.damaged.length === 0)
          damage(`/${entry.path} is a hard link to ${dangling}, which is not there`);
      }
    } catch (error) {
      if (error instanceof TooManyFiles) throw error.of(layer.digest);
      // Errors with a remedy come from the registry or the network, not from the layer.
      if (error instanceof Error && "exitStatus" in error) throw error;
      damage(`it cannot be read: ${(error as Error).message}`);
      return;
    }
    const found = `sha256:${hash.digest("hex")}`;
    const expected = this.config.rootfs.diff_ids[index];
    if (expected?.startsWith("sha256:") && found !== expected) {
      damage(`its content is ${found}, but rootfs.diff_ids[${index}] is ${expected}`);
    }
  }
}

async function* hashed(
  bytes: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}
