import { formatBytes } from "../../config/quantity.ts";
import { printable } from "../../core/printable.ts";
import { type ImageConfig, parseImageConfig } from "../../oci/config.ts";
import { formatPlatform } from "../../oci/descriptor.ts";
import { type ImageIndex, isIndex } from "../../oci/manifest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { formatReference } from "../../oci/reference.ts";
import { configField } from "../../registry/client/client.ts";
import { type FetchedManifest, fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { command } from "../command.ts";
import { fetchImage, type NamedImage, openImage, type PlatformImage, platformName } from "../image/named-image.ts";
import { flag, image, text } from "./options.ts";

export const inspect = command(
  {
    image,
    platform: text("Platform to pick from an index, os/architecture[/variant]. Default: show the index"),
    json: flag("Print manifest and configuration as one JSON object"),
  },
  async (options) => {
    using image = await openImage(options.image);
    const fetched = await fetchManifest(image.client, image.repository, image.name);
    const { manifest } = fetched;
    if (isIndex(manifest) && options.platform === undefined) {
      print(options.json ? json(image, fetched) : describeIndex(image, fetched, manifest));
      return;
    }
    const chosen = await fetchImage(image, options.platform);
    const { mediaType } = chosen.manifest.config;
    const isImage = mediaType === mediaTypes.config || mediaType === mediaTypes.dockerConfig;
    const read = () => image.client.readBlob(image.repository, chosen.manifest.config, configField, options.image);
    const config = isImage ? parseImageConfig(await read(), `Configuration of ${options.image}`) : undefined;
    print(options.json ? json(image, chosen, config) : describeImage(image, chosen, config));
  },
);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function json(image: NamedImage, { manifest, descriptor }: FetchedManifest, config?: ImageConfig): string {
  const name = formatReference(image.reference);
  return JSON.stringify({ name, ...descriptor, manifest, ...(config ? { config } : {}) }, undefined, 2);
}

function describeIndex(image: NamedImage, { descriptor }: FetchedManifest, index: ImageIndex): string {
  const width = Math.max(0, ...index.manifests.map((each) => platformName(each).length));
  return [
    ...head(image, descriptor),
    "Images",
    ...index.manifests.map((each) => `  ${platformName(each).padEnd(width)}  ${each.digest}`),
  ]
    .map(printable)
    .join("\n");
}

function describeImage(image: NamedImage, { descriptor, manifest }: PlatformImage, config?: ImageConfig): string {
  const size = manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  const count = `${manifest.layers.length} layer${manifest.layers.length === 1 ? "" : "s"}`;
  const comments = config?.history?.filter((entry) => entry.empty_layer !== true) ?? [];
  return [
    ...head(image, descriptor),
    ...(config ? execution(config) : [line("Artifact", manifest.artifactType ?? manifest.config.mediaType)]),
    line("Size", `${formatBytes(size)} in ${count}`),
    ...manifest.layers.map((layer, index) => {
      const made = comments.length === manifest.layers.length ? comments[index] : undefined;
      const what = (made?.comment || made?.created_by || "").replace(/\s+/g, " ").slice(0, 80);
      return `  ${formatBytes(layer.size).padStart(7)}  ${layer.digest}  ${what}`.trimEnd();
    }),
  ]
    .map(printable)
    .join("\n");
}

function head({ reference }: NamedImage, { digest, mediaType }: FetchedManifest["descriptor"]): string[] {
  return [line("Name", formatReference(reference)), line("Digest", digest), line("Type", mediaType)];
}

function execution(config: ImageConfig): string[] {
  const { User, WorkingDir, Entrypoint, Cmd, Env = [], Labels = {} } = config.config ?? {};
  const words = (list: readonly string[] | undefined) => (list ? JSON.stringify(list) : "");
  const rows: [string, string][] = [
    ["Platform", formatPlatform(config)],
    ["Created", config.created ?? ""],
    ["User", User ?? ""],
    ["Folder", WorkingDir ?? ""],
    ["Entrypoint", words(Entrypoint)],
    ["Command", words(Cmd)],
    ...Env.map((entry): [string, string] => ["Variable", entry]),
    ...Object.entries(Labels).map(([key, value]): [string, string] => ["Label", `${key}=${value}`]),
  ];
  return rows.filter(([, value]) => value !== "").map(([key, value]) => line(key, value));
}

function line(key: string, value: string): string {
  return `${key.padEnd(10)}  ${value}`;
}
