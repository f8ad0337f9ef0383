import { imageRules } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import type { SigningKey } from "./signing-key.ts";

interface Place {
  readonly registry: string;
  readonly repository: string;
}

/**
 * Verifies the signature and attestations that the configuration file requires for an image's repository.
 * @param open only called if a signature is required
 * @throws Failure that names the image, the key, and the line that requires it. UserError of the configuration file
 * or the key
 */
export async function requireSignature(
  { registry, repository }: Place,
  image: Digest,
  open: (registry: string) => Promise<RegistryClient>,
  env: Environment = process.env,
): Promise<void> {
  const { requiredKey, attestations = [] } = await imageRules(registry, repository, env);
  if (!requiredKey) return;
  const [{ readPublicKey }, { judgeOf, verifyImage }] = await Promise.all([import("./keys.ts"), import("./verify.ts")]);
  const judge = { ...judgeOf(await readPublicKey(requiredKey.source, env)), enough: 1 };
  const client = await open(registry);
  try {
    await verifyImage(client, repository, image, judge);
    if (attestations.length === 0) return;
    const { verifyAttestation } = await import("./attestations.ts");
    for (const each of attestations) await verifyAttestation(client, repository, image, judge, each);
  } catch (error) {
    if (!(error instanceof Failure) || !/^signature-/.test(error.code)) throw error;
    const remedy = `${error.remedy.replace(/\.$/, "")}. ${requiredKey.where} requires the signature.`;
    throw new Failure(error, error.problem, remedy, { cause: error });
  } finally {
    client.close();
  }
}

export interface Signer {
  /** As the configuration file names it. */
  readonly source: string;
  /** Reads it once. */
  key(): Promise<SigningKey>;
}

/** Undefined: the configuration file has no key for it. */
export async function signerFor(
  { registry, repository }: Place,
  env: Environment = process.env,
): Promise<Signer | undefined> {
  const { signingKey } = await imageRules(registry, repository, env);
  if (!signingKey) return undefined;
  const { source } = signingKey;
  let key: Promise<SigningKey> | undefined;
  return { source, key: () => (key ??= import("./keys.ts").then(({ readSigningKey }) => readSigningKey(source, env))) };
}

/** If the configuration file has a key for their repository. @throws UserError or Failure of the key or the registry */
export async function signPushed(
  client: RegistryClient,
  place: Place,
  images: readonly Descriptor[],
  env: Environment = process.env,
): Promise<void> {
  const signer = await signerFor(place, env);
  if (!signer) return;
  const [{ signImage }, key] = await Promise.all([import("./sign.ts"), signer.key()]);
  const { repository } = place;
  await Promise.all(images.map((image) => signImage(client, repository, image, key)));
}
