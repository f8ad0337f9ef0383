import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { maximumConfigSize, parseImageConfig } from "../oci/config.ts";
import { checkDescriptor, type Descriptor, formatPlatform, isSamePlatform, type Platform } from "../oci/descriptor.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { parseJson } from "../oci/json.ts";
import { blobPath } from "../oci/layout.ts";
import { type ImageIndex, type ImageManifest, isIndex, maximumManifestSize, parseManifest } from "../oci/manifest.ts";
import { readInput } from "./files.ts";

/** OCI image specification, "Image Layout". Blobs may be links out of the folder. */
export class OciLayout {
  readonly name: string;
  readonly #folder: string;

  constructor(name: string, folder: string) {
    this.name = name;
    this.#folder = folder;
  }

  only(): Descriptor {
    const entries = this.#entries();
    if (entries.length !== 1 || !entries[0]) {
      throw new UserError(
        { code: "image-unsuitable", culprit: this.name },
        `${this.name} holds ${entries.length} images, not one.`,
        "Make a layout of one image or index.",
      );
    }
    return entries[0];
  }

  /** @throws UserError unless one fits. A single image is not checked: rules_oci sets no platform. */
  imageFor(platform: string): Descriptor {
    const images = this.#entries().flatMap((entry) => {
      const { manifest } = this.manifest(entry);
      return isIndex(manifest) ? manifest.manifests : [entry];
    });
    if (images.length === 1 && images[0]) return images[0];
    const platforms = images.map((image) => formatPlatform(image.platform ?? this.#platformOf(image)));
    const found = images[platforms.findIndex((each) => isSamePlatform(platform, each))];
    if (found) return found;
    throw new UserError(
      { code: "image-unsuitable", culprit: this.name },
      `${this.name} holds no image for ${platform}, only for ${platforms.join(", ") || "none"}.`,
      "Set `platform` to one of them, or use a base for this platform.",
    );
  }

  manifest(descriptor: Descriptor): { bytes: Buffer; manifest: ImageManifest | ImageIndex } {
    const bytes = this.#blob(descriptor.digest, maximumManifestSize);
    return {
      bytes,
      manifest: parseManifest(bytes, { mediaType: descriptor.mediaType, document: this.#path(descriptor.digest) }),
    };
  }

  config(manifest: ImageManifest): { bytes: Buffer; platform: Platform } {
    const bytes = this.#blob(manifest.config.digest, maximumConfigSize);
    const { os, architecture, variant } = parseImageConfig(bytes, this.#path(manifest.config.digest));
    return { bytes, platform: { os, architecture, ...(variant ? { variant } : {}) } };
  }

  /** Undefined if the layout does not have it with this size. */
  blob({ digest, size }: Pick<Descriptor, "digest" | "size">): string | undefined {
    const file = join(this.#folder, blobPath(digest));
    return existsSync(file) && statSync(file).size === size ? file : undefined;
  }

  #entries(): Descriptor[] {
    // rules_oci omits schemaVersion for an index.
    return parseJson(this.#read("index.json", maximumManifestSize), join(this.name, "index.json"))
      .get("manifests")
      .items()
      .map(checkDescriptor);
  }

  #platformOf(descriptor: Descriptor): Platform {
    const { manifest } = this.manifest(descriptor);
    return isIndex(manifest) ? { os: "", architecture: "" } : this.config(manifest).platform;
  }

  #blob(digest: Digest, most: number): Buffer {
    const bytes = this.#read(blobPath(digest), most);
    const found = sha256(bytes);
    if (found === digest) return bytes;
    throw this.#invalid(blobPath(digest), `has the digest ${found}`);
  }

  #read(name: string, most: number): Buffer {
    const file = join(this.#folder, name);
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size > most) throw this.#invalid(name, `has ${size} bytes, more than ${most}`);
    return readInput(file);
  }

  #invalid(name: string, problem: string): UserError {
    const path = join(this.name, name);
    return new UserError({ code: "image-invalid", culprit: path }, `${path} ${problem}.`, "Build the layout again.");
  }

  #path(digest: Digest): string {
    return join(this.name, blobPath(digest));
  }
}
