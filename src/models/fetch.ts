import { readWhole } from "../core/read-whole.ts";
import type { Digest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import type { Model } from "./model.ts";
import { parseModel, parseModelManifest } from "./parse.ts";

interface FetchedModel {
  readonly model: Model;
  readonly manifest: Buffer;
  readonly config: Buffer;
}

const empty = Buffer.from("{}");

/** Bytes of the configuration, which lists a model's files. */
const maximumConfig = 64 * 1024 * 1024;

/** Without the files. Undefined: the registry does not have it. */
export async function fetchModel(
  client: RegistryClient,
  repository: string,
  digest: Digest,
): Promise<FetchedModel | undefined> {
  const name = `${client.registry}/${repository}@${digest}`;
  const stored = await client.getManifest(repository, digest);
  if (!stored) return undefined;
  const manifest = parseModelManifest(stored.bytes, name);
  const isEmpty = manifest.config.mediaType === mediaTypes.empty;
  const config = isEmpty ? empty : await readWhole(client.getBlob(repository, manifest.config), maximumConfig);
  return { model: parseModel(manifest, config, name), manifest: stored.bytes, config };
}
