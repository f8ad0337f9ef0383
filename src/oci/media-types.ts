/** Docker's schema 2 has its own types for the same formats. */
export const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  empty: "application/vnd.oci.empty.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
} as const;

export const manifestMediaTypes: readonly string[] = [
  mediaTypes.manifest,
  mediaTypes.index,
  mediaTypes.dockerManifest,
  mediaTypes.dockerIndex,
];

const ociLayerNames: Readonly<Record<string, string>> = {
  "application/vnd.docker.image.rootfs.diff.tar": mediaTypes.layer,
  "application/vnd.docker.image.rootfs.diff.tar.gzip": mediaTypes.layerGzip,
  "application/vnd.docker.image.rootfs.diff.tar.zstd": mediaTypes.layerZstd,
  "application/vnd.docker.image.rootfs.foreign.diff.tar": "application/vnd.oci.image.layer.nondistributable.v1.tar",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip":
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
};

/** Unknown names stay unchanged. */
export function ociLayerMediaType(mediaType: string): string {
  return ociLayerNames[mediaType] ?? mediaType;
}

/** Registries need not have the blob of such a "foreign" layer. */
export function isNondistributable(mediaType: string): boolean {
  return ociLayerMediaType(mediaType).startsWith("application/vnd.oci.image.layer.nondistributable.v1.");
}
