import { UserError } from "../core/errors.ts";
import type { Digest } from "./digest.ts";
import { parseJson } from "./json.ts";
import type { ImageManifest } from "./manifest.ts";

export const maximumConfigSize = 8 * 1024 * 1024;

/** OCI image specification, "Image Configuration", `config`. */
export interface ExecutionConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  /** `NAME=value` each. */
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly author?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** OCI image specification, "Image Configuration". */
export interface ImageConfig {
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly config?: ExecutionConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
}

/** Keeps unknown fields. @throws UserError with document and field */
export function parseImageConfig(bytes: Uint8Array, document = "image configuration"): ImageConfig {
  const node = parseJson(bytes, document);
  node.get("os").string();
  node.get("architecture").string();
  node.optional("variant")?.string();
  const rootfs = node.get("rootfs");
  if (rootfs.get("type").value !== "layers") rootfs.get("type").fail('is not "layers"');
  for (const diffId of rootfs.get("diff_ids").items()) diffId.digest();
  for (const entry of node.optional("history")?.items() ?? []) {
    entry.object();
    for (const key of ["created", "author", "created_by", "comment"]) entry.optional(key)?.string();
  }
  const config = node.optional("config");
  for (const key of ["Env", "Entrypoint", "Cmd"]) config?.optional(key)?.strings();
  for (const key of ["User", "WorkingDir", "StopSignal"]) config?.optional(key)?.string();
  config?.optional("Labels")?.stringMap();
  return node.value as ImageConfig;
}

export function checkDiffIds({ layers }: ImageManifest, { rootfs }: ImageConfig, image: string): void {
  if (rootfs.diff_ids.length === layers.length) return;
  throw new UserError(
    { code: "image-invalid", culprit: image },
    `The manifest of ${image} has ${layers.length} layers, its configuration ${rootfs.diff_ids.length}.`,
    "Use another base image: this one is damaged.",
  );
}
