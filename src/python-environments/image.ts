import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { replaceFile } from "../core/files.ts";
import type { TarEntry } from "../layer/entry.ts";
import { writeLayer } from "../layer/write.ts";
import { formatLayerMetadata, parseLayerMetadata } from "../oci/layer.ts";
import { formatReference } from "../oci/reference.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { SourceImage } from "../registry/source-image.ts";
import { openWritable, type WritableOptions } from "../registry/writable.ts";
import { appendLayers, type LocalLayer } from "../signatures/append.ts";
import { ifRunnable, isRestricted } from "../signatures/runnable-image.ts";
import { basePython, variablesOf } from "./base-python.ts";
import { createConda } from "./conda.ts";
import { condaEntries } from "./conda-tree.ts";
import { type EnvironmentSource, environmentKey } from "./model.ts";
import { installFor } from "./pip.ts";
import { builtOnce, environmentsFolder } from "./store.ts";
import { type BasePython, imageEnvironment, venvEntries } from "./venv-tree.ts";

/** The repository of environments in a registry; the key of each is its tag. */
const environmentsRepository = "slipway/environments";

export interface EnvironmentImageOptions extends WritableOptions {
  /** The image it stands on: `HOST/REPOSITORY@sha256:…`. */
  readonly base: RunnableImage;
  readonly platform: string;
  readonly env: Environment;
  readonly onBuild?: () => void;
}

/**
 * A layer on the base, shared in the registry of jobs by a tag for files, base and platform. If the rules require a
 * signature, an image without the one that environments need is built here instead.
 */
export async function environmentImage(
  source: EnvironmentSource,
  options: EnvironmentImageOptions,
): Promise<RunnableImage> {
  const { base, platform, env, python } = { ...options, python: source.python ?? "" };
  const key = environmentKey(source, { base: base.slice(base.indexOf("@") + 1), platform, python });
  const known = await inRegistry(key, options);
  if (known !== undefined) return known;
  using image = new SourceImage({ image: base, platform, env });
  const interpreter = source.kind === "CondaEnv" ? undefined : await basePython(image, base, source.python, env);
  const layer = await builtLayer(source, key, interpreter, options);
  const path = variablesOf((await image.read()).config, base).get("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
  const folder = `/${imageEnvironment}`;
  const made = await appendLayers({
    ...options,
    image: base,
    layers: [layer],
    repository: environmentsRepository,
    tags: [key],
    spec: {
      env: { PATH: `${folder}/bin:${path}`, [interpreter ? "VIRTUAL_ENV" : "CONDA_PREFIX"]: folder },
      // `docker run IMAGE python ARGUMENTS` must work.
      entrypoint: [],
      cmd: ["python"],
    },
  });
  return made.image;
}

async function inRegistry(key: string, options: EnvironmentImageOptions): Promise<RunnableImage | undefined> {
  using registry = await openWritable(options);
  const repository = registry.place(environmentsRepository);
  const found = await registry.client.headManifest(repository, key);
  if (!found) return undefined;
  const image = formatReference({ registry: registry.host, repository, digest: found.digest });
  // Without a rule for environments, nothing says who made it.
  if (!(await isRestricted(image, options.env)) && (await isRestricted(options.base, options.env))) return undefined;
  return await ifRunnable(image, options.env);
}

async function builtLayer(
  source: EnvironmentSource,
  key: string,
  interpreter: BasePython | undefined,
  { platform, env, onBuild }: EnvironmentImageOptions,
): Promise<LocalLayer> {
  const layers = join(environmentsFolder(env), "layers");
  const build = async (draft: string, temporary: string) => {
    onBuild?.();
    const files = join(temporary, "environment");
    await mkdir(files);
    const entries = await entriesOf(source, files, interpreter, { platform, temporary, env });
    const output = join(draft, "layer.tar.gz");
    const comment = `environment of ${source.kind}`;
    const metadata = await writeLayer({ entries, output, compression: "gzip", comment });
    await replaceFile(join(draft, "layer.json"), formatLayerMetadata(metadata));
  };
  const folder = await builtOnce(layers, key, () => true, build);
  const description = join(folder, "layer.json");
  return { metadata: parseLayerMetadata(await readFile(description), description), blob: join(folder, "layer.tar.gz") };
}

async function entriesOf(
  source: EnvironmentSource,
  folder: string,
  interpreter: BasePython | undefined,
  options: { readonly platform: string; readonly temporary: string; readonly env: Environment },
): Promise<TarEntry[]> {
  if (!interpreter) {
    await createConda(source, options.platform, { ...options, prefix: folder });
    return condaEntries(folder);
  }
  const builder = await installFor(source, interpreter.version, { ...options, folder });
  return venvEntries(folder, interpreter, builder);
}
