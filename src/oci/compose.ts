import { UserError } from "../core/errors.ts";
import { checkDiffIds, type ExecutionConfig, type HistoryEntry, type ImageConfig, parseImageConfig } from "./config.ts";
import { formatPlatform, isSamePlatform, type Platform } from "./descriptor.ts";
import { sha256 } from "./digest.ts";
import { canonicalJson } from "./json.ts";
import type { LayerMetadata } from "./layer.ts";
import { parseImageManifest } from "./manifest.ts";
import { mediaTypes, ociLayerMediaType } from "./media-types.ts";

/** Omitted fields come from the base. */
export interface ImageSpec {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  /** Added to the base's, and override them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Without `cmd`, this drops the base's `cmd`, as Docker does: those were arguments of another program. */
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly user?: string;
  /** The user if `user` is not set and the base has none or root: programs should not run as root. */
  readonly defaultUser?: string;
  /** `HOME` for `defaultUser`. Set only if that user is used and `env` does not set it. */
  readonly defaultHome?: string;
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of the image and its layers' history, in seconds since 1970. Default: 0, for reproducible digests. */
  readonly epoch?: number;
  /** The base's are not inherited, since they describe the base. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ComposedLayer extends LayerMetadata {
  /** For a runtime, which no other layer changes. */
  readonly unlessInBase?: boolean;
}

export interface BaseImage {
  readonly manifest: Uint8Array;
  readonly config: Uint8Array;
  readonly name?: string;
}

type Base = ReturnType<typeof readBase>;

/** Deterministic to the byte. The base's layers come first and keep their blobs. */
export function composeImage(options: {
  readonly base?: BaseImage;
  readonly layers: readonly ComposedLayer[];
  readonly spec: ImageSpec;
}) {
  const base = options.base && readBase(options.base);
  const present = new Set(base?.layers.map(({ digest }) => digest));
  const layers = options.layers.filter(({ digest, unlessInBase }) => !(unlessInBase && present.has(digest)));
  const platform = platformOf(options.spec, base);
  const config = canonicalJson(configOf(options.spec, platform, layers, base));
  const manifest = canonicalJson({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: sha256(config), size: config.length },
    layers: [...(base?.layers ?? []), ...layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }))],
    ...unlessEmpty("annotations", options.spec.annotations),
  });
  const descriptor = { mediaType: mediaTypes.manifest, digest: sha256(manifest), size: manifest.length };
  return { manifest, config, descriptor: { ...descriptor, platform } };
}

function readBase(image: BaseImage) {
  const name = image.name ?? "the base image";
  const manifest = parseImageManifest(image.manifest, { document: `Manifest of ${name}` });
  const config = parseImageConfig(image.config, `Configuration of ${name}`);
  const actual = sha256(image.config);
  if (manifest.config.digest.startsWith("sha256:") && manifest.config.digest !== actual) {
    throw new UserError(
      { code: "image-invalid", culprit: name },
      `The manifest of ${name} names the configuration ${manifest.config.digest}, but the one given has ${actual}.`,
      "Give the manifest and the configuration of the same image.",
    );
  }
  checkDiffIds(manifest, config, name);
  const layers = manifest.layers.map((layer) => ({ ...layer, mediaType: ociLayerMediaType(layer.mediaType) }));
  return { name, config, layers };
}

/** Many bases omit the variant, so variants only conflict if the base has one. */
function platformOf(spec: ImageSpec, base: Base | undefined): Platform {
  const os = spec.os ?? base?.config.os;
  const architecture = spec.architecture ?? base?.config.architecture;
  if (os === undefined || architecture === undefined) {
    const missing = os === undefined ? "os" : "architecture";
    throw new UserError(
      { code: "field-invalid", culprit: missing },
      `The image has neither a base nor a value for ${missing}.`,
      "Give os and architecture, for example linux and amd64, or a base image.",
    );
  }
  const variant = spec.variant ?? base?.config.variant;
  const platform: Platform = { os, architecture, ...(variant ? { variant } : {}) };
  if (!base || isSamePlatform(formatPlatform(base.config), formatPlatform(platform))) return platform;
  throw new UserError(
    { code: "image-unsuitable", culprit: base.name },
    `The image is for ${formatPlatform(platform)}, but ${base.name} is for ${formatPlatform(base.config)}.`,
    "Choose a base image of that platform, or build for the platform of the base.",
  );
}

function configOf(
  spec: ImageSpec,
  platform: Platform,
  layers: readonly LayerMetadata[],
  base: Base | undefined,
): ImageConfig {
  const created = timeOf(spec.epoch ?? 0);
  const { history: _history, rootfs: _rootfs, created: _created, ...inherited } = (base?.config ?? {}) as ImageConfig;
  return {
    ...inherited,
    ...platform,
    created,
    config: executionOf(spec, base?.config.config ?? {}),
    rootfs: {
      type: "layers",
      diff_ids: [...(base?.config.rootfs.diff_ids ?? []), ...layers.map((layer) => layer.diffId)],
    },
    history: [
      ...baseHistory(base),
      ...layers.map((layer) => ({
        created,
        created_by: "slipway",
        ...(layer.comment ? { comment: layer.comment } : {}),
      })),
    ],
  };
}

/** Tools match history entries with layers by counting, so a base whose history does not match gets a new one. */
function baseHistory(base: Base | undefined): readonly HistoryEntry[] {
  if (!base) return [];
  const history = base.config.history ?? [];
  const named = history.filter((entry) => entry.empty_layer !== true).length;
  return named === base.layers.length
    ? history
    : base.layers.map(() => ({ created: timeOf(0), comment: "base image" }));
}

function timeOf(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
}

function executionOf(spec: ImageSpec, base: ExecutionConfig): ExecutionConfig {
  const { Cmd, ...rest } = base;
  const cmd = spec.cmd ?? (spec.entrypoint ? undefined : Cmd);
  const isRoot = !base.User || /^(root|0)(:|$)/.test(base.User);
  const demoted = spec.user === undefined && spec.defaultUser !== undefined && isRoot;
  const user = demoted ? spec.defaultUser : spec.user;
  const home = demoted && spec.defaultHome !== undefined ? { HOME: spec.defaultHome } : {};
  return {
    ...rest,
    ...unlessEmpty("Env", mergeEnvironment(base.Env ?? [], { ...home, ...spec.env })),
    ...(spec.entrypoint ? { Entrypoint: spec.entrypoint } : {}),
    ...(cmd ? { Cmd: cmd } : {}),
    ...(user === undefined ? {} : { User: user }),
    ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
    ...unlessEmpty("Labels", { ...base.Labels, ...spec.labels }),
  };
}

/** Keeps the base's order and replaces values in place. New variables follow, sorted by name. */
function mergeEnvironment(base: readonly string[], changes: Readonly<Record<string, string>>): string[] {
  const merged = new Map(base.map((entry) => /^([^=]*)=?(.*)$/s.exec(entry)?.slice(1) as [string, string]));
  for (const name of Object.keys(changes).sort()) {
    if (!/^[^=\0]+$/.test(name)) {
      throw new UserError(
        { code: "variable-invalid", culprit: name },
        `${JSON.stringify(name)} cannot be the name of an environment variable.`,
        "Write env as a mapping of names, without =, to values.",
      );
    }
    merged.set(name, changes[name] ?? "");
  }
  return [...merged].map(([name, value]) => `${name}=${value}`);
}

function unlessEmpty<Key extends string, Value extends object>(
  key: Key,
  value: Value | undefined,
): { [K in Key]?: Value } {
  return value && Object.keys(value).length > 0 ? ({ [key]: value } as { [K in Key]: Value }) : {};
}
