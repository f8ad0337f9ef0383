/** Media types of the OCI image specification and of Docker's schema 2, which hold the same bytes under other names. */
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

/** What a client that takes everything sends as `Accept` when it asks for a manifest. */
export const manifestMediaTypes: readonly string[] = [
  mediaTypes.manifest,
  mediaTypes.index,
  mediaTypes.dockerManifest,
  mediaTypes.dockerIndex,
];

/** Docker's names of layers and what OCI calls the same bytes. */
const ociLayerNames: Readonly<Record<string, string>> = {
  "application/vnd.docker.image.rootfs.diff.tar": mediaTypes.layer,
  "application/vnd.docker.image.rootfs.diff.tar.gzip": mediaTypes.layerGzip,
  "application/vnd.docker.image.rootfs.diff.tar.zstd": mediaTypes.layerZstd,
  "application/vnd.docker.image.rootfs.foreign.diff.tar": "application/vnd.oci.image.layer.nondistributable.v1.tar",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip":
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
};

/** The OCI name of a layer's media type; names it does not know stay as they are. */
export function ociLayerMediaType(mediaType: string): string {
  return ociLayerNames[mediaType] ?? mediaType;
}

/** Whether a layer may be kept elsewhere, so that no registry needs to hold its blob. */
export function isNondistributable(mediaType: string): boolean {
  return ociLayerMediaType(mediaType).startsWith("application/vnd.oci.image.layer.nondistributable.v1.");
}
