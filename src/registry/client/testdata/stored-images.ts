import { type Digest, sha256 } from "../../../oci/digest.ts";
import { canonicalJson } from "../../../oci/json.ts";
import { mediaTypes } from "../../../oci/media-types.ts";
import type { FakeRegistry } from "./fake-registry.ts";

/** Puts images into a fake registry as they could have come from anywhere: nothing is checked. */
export class StoredImages {
  readonly #registry: FakeRegistry;
  readonly #repository: string;

  constructor(registry: FakeRegistry, repository: string) {
    this.#registry = registry;
    this.#repository = repository;
  }

  /** Any document, as a manifest. */
  manifest(document: object | Uint8Array, options: { tag?: string; mediaType?: string } = {}): Digest {
    const bytes = Buffer.from(document instanceof Uint8Array ? document : canonicalJson(document));
    const mediaType =
      options.mediaType ?? (document as { mediaType?: string }).mediaType ?? "application/vnd.oci.image.manifest.v1+json";
    const digest = sha256(bytes);
    for (const name of [digest, options.tag]) {
      if (name !== undefined) this.#registry.manifests.set(`${this.#repository} ${name}`, { bytes, mediaType });
    }
    return digest;
  }

  /** An image of the given layers; `config` and `manifest` replace fields of those documents. */
  image(options: {
    readonly layers?: readonly string[];
    readonly platform?: string;
    readonly config?: object;
    readonly manifest?: object;
    readonly tag?: string;
  }): Digest {
    const { layers = ["layer"], platform = "linux/amd64", tag } = options;
    const [os, architecture, variant] = platform.split("/");
    const blobs = layers.map((layer) => this.blob(Buffer.from(layer)));
    const config = canonicalJson({
      os,
      architecture,
      ...(variant ? { variant } : {}),
      rootfs: { type: "layers", diff_ids: layers.map((layer) => sha256(layer)) },
      ...options.config,
    });
    const document = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, ...this.blob(config) },
      layers: blobs.map((blob) => ({ mediaType: mediaTypes.layerGzip, ...blob })),
      ...options.manifest,
    };
    return this.manifest(document, tag === undefined ? {} : { tag });
  }

  /** An index of images by platform. */
  index(images: Readonly<Record<string, Digest>>, options: { tag?: string } = {}): Digest {
    const manifests = Object.entries(images).map(([platform, digest]) => {
      const [os, architecture, variant] = platform.split("/");
      const size = this.#registry.manifests.get(`${this.#repository} ${digest}`)?.bytes.length ?? 0;
      return { mediaType: mediaTypes.manifest, digest, size, platform: { os, architecture, ...(variant ? { variant } : {}) } };
    });
    return this.manifest({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }, options);
  }

  blob(bytes: Uint8Array): { digest: Digest; size: number } {
    return { digest: this.#registry.putBlob(this.#repository, bytes), size: bytes.length };
  }
}
