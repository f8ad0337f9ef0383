import { type Digest, digestOf, splitDigest } from "./digest.ts";
import type { JsonNode } from "./json.ts";

/** With Go's names: OCI image specification, "Image Index". */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
  readonly urls?: readonly string[];
  readonly data?: string;
}

/** Keeps unknown fields. @throws UserError with document and field */
export function checkDescriptor(node: JsonNode): Descriptor {
  node.get("mediaType").string();
  node.get("digest").digest();
  node.get("size").size();
  for (const key of ["artifactType", "data"]) node.optional(key)?.string();
  node.optional("annotations")?.stringMap();
  node.optional("urls")?.strings();
  const platform = node.optional("platform");
  platform?.get("os").string();
  platform?.get("architecture").string();
  platform?.optional("variant")?.string();
  return node.value as Descriptor;
}

/** What its `data` has. Undefined: nothing, or something else than the digest says. */
export function inlineContent({
  data,
  digest,
  size,
}: Pick<Descriptor, "data" | "digest" | "size">): Buffer | undefined {
  const content = Buffer.from(data ?? "", "base64");
  const isIt = content.length === size && digestOf(splitDigest(digest).algorithm, content) === digest;
  return data !== undefined && isIt ? content : undefined;
}

/** This machine's architecture, by its name in images. */
export function ownArchitecture(): string {
  const names: Partial<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };
  return names[process.arch] ?? process.arch;
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part).join("/");
}

export function isSamePlatform(wanted: string, platform: string): boolean {
  return platform === wanted || (platform.startsWith(`${wanted}/`) && wanted.split("/").length === 2);
}
