// Writes an OCI layout as oci_image and oci_image_index of rules_oci do.
// usage: OUTPUT image BASE|- TAR…    or    OUTPUT index LAYOUT…
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const [output, kind, ...inputs] = process.argv.slice(2);
const blobs = join(output, "blobs/sha256");
mkdirSync(blobs, { recursive: true });
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const blobOf = (layout, { digest }) => join(layout, "blobs", digest.replace(":", "/"));

function put(content) {
  const bytes = Buffer.from(JSON.stringify(content, null, 2));
  writeFileSync(join(blobs, sha256(bytes)), bytes);
  return { mediaType: content.mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
}

/** Its links lead out of the folder, to where the blob is built. */
const link = (name, path) => symlinkSync(relative(blobs, path), join(blobs, name));

if (kind === "image") {
  const [base, ...tars] = inputs;
  let manifest = { schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", layers: [] };
  let config = {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  };
  if (base !== "-") {
    manifest = json(blobOf(base, json(join(base, "index.json")).manifests[0]));
    config = json(blobOf(base, manifest.config));
    for (const name of readdirSync(join(base, "blobs/sha256"))) link(name, join(base, "blobs/sha256", name));
  }
  for (const tar of tars) {
    const bytes = readFileSync(tar);
    manifest.layers.push({
      mediaType: "application/vnd.oci.image.layer.v1.tar",
      digest: `sha256:${sha256(bytes)}`,
      size: bytes.length,
    });
    config.rootfs.diff_ids.push(`sha256:${sha256(bytes)}`);
    link(sha256(bytes), tar);
  }
  config.config = { ...config.config, Env: [...(config.config?.Env ?? []), "TEAM=harbour"] };
  const { digest, size } = put(config);
  const image = put({ ...manifest, config: { mediaType: "application/vnd.oci.image.config.v1+json", digest, size } });
  writeFileSync(join(output, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [image] }));
} else {
  const manifests = inputs.flatMap((layout) => {
    for (const name of readdirSync(join(layout, "blobs/sha256")))
      copyFileSync(join(layout, "blobs/sha256", name), join(blobs, name));
    return json(join(layout, "index.json")).manifests.map((image) => {
      const { os, architecture } = json(blobOf(layout, json(blobOf(layout, image)).config));
      return { ...image, platform: { os, architecture } };
    });
  });
  const index = put({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests });
  // Theirs has no schemaVersion.
  writeFileSync(join(output, "index.json"), JSON.stringify({ manifests: [index] }));
}
writeFileSync(join(output, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
