import { imageRules } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { absentImage } from "../registry/client/fetch-manifest.ts";
import { openByName } from "../registry/open-by-name.ts";
import { requireSignature } from "./rules.ts";

type Open = (registry: string) => Promise<RegistryClient>;

/** That this process has made or verified. */
const allowed = new Map<string, RunnableImage>();

/**
 * The only way from an image's name to one that runs: verifies what the configuration file requires, once per image.
 * Where it requires nothing, sends no request and returns the name; else returns it by digest, so that a moved tag
 * changes nothing.
 * @param open only called if something is required
 * @throws Failure that names the image, the key, and the line that requires the signature. UserError of the
 * configuration file or the key
 */
export async function runnableImage(
  image: string,
  env: Environment = process.env,
  open: Open = (registry) => openByName(registry, env),
): Promise<RunnableImage> {
  // An engine's own number of an image: no registry has it.
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(image)) return image as RunnableImage;
  const reference = parseReference(image);
  const { registry, repository } = reference;
  const rules = await imageRules(registry, repository, env);
  if (!rules.requiredKey) return image as RunnableImage;
  const known = `${rules.requiredKey.source} ${image}`;
  const before = allowed.get(known) ?? allowed.get(image);
  if (before !== undefined) return before;
  const digest = reference.digest ?? (await digestOf(image, open));
  await requireSignature(reference, digest, open, env);
  const found = formatReference({ registry, repository, digest }) as RunnableImage;
  allowed.set(known, found);
  return found;
}

/** Marks an image that this process made of what may run, by a digest computed here, not one that a registry named. */
export function ownImage(image: string): RunnableImage {
  if (parseReference(image).digest === undefined) throw new TypeError(`${image} has no digest`);
  allowed.set(image, image as RunnableImage);
  return image as RunnableImage;
}

export async function isRestricted(image: string, env: Environment): Promise<boolean> {
  const { registry, repository } = parseReference(image);
  return (await imageRules(registry, repository, env)).requiredKey !== undefined;
}

/** As {@link runnableImage}. Undefined: it may not run, or is not there. */
export async function ifRunnable(image: string, env: Environment): Promise<RunnableImage | undefined> {
  return runnableImage(image, env).catch((error) => {
    if (error instanceof Failure && /^signature-/.test(error.code)) return undefined;
    throw error;
  });
}

async function digestOf(image: string, open: Open): Promise<Digest> {
  const reference = parseReference(image);
  const tag = reference.tag ?? "latest";
  const client = await open(reference.registry);
  try {
    const found = await client.headManifest(reference.repository, tag);
    if (!found) throw absentImage(reference, tag);
    return found.digest;
  } finally {
    client.close();
  }
}
