import { formatReference } from "../../oci/reference.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { verifyAttestation } from "../../signatures/attestations.ts";
import { readPublicKey } from "../../signatures/keys.ts";
import { verifyImage } from "../../signatures/verify.ts";
import { openImage } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";
import { printJson } from "./output.ts";

interface Options {
  readonly image: string;
  readonly key?: string | undefined;
  readonly identity?: string | undefined;
  readonly issuer?: string | undefined;
  readonly type?: string | undefined;
  readonly builder?: string | undefined;
  readonly source?: string | undefined;
  readonly json: boolean;
}

/**
 * Verifies the signature of an image or index, or an attestation, and prints the reference by digest.
 *
 * @throws Failure if none is valid. UserError of the options, the key or the reference
 */
export async function verify({ image: text, json, ...options }: Options): Promise<void> {
  const { key, identity, issuer, type, builder, source } = options;
  if (type === undefined && (builder !== undefined || source !== undefined)) {
    const remedy = "Add --type slsaprovenance1.";
    throw optionError("--type", "The command has no type of attestation to look for a builder or source in.", remedy);
  }
  if (key === undefined && (identity === undefined || issuer === undefined)) {
    const remedy = "Add --key FILE, or --identity and --issuer for an image that was signed without a key.";
    throw optionError("--key", "The command has no key to verify with.", remedy);
  }
  const by =
    key === undefined
      ? await (await import("../../signatures/keyless.ts")).identityJudge({
          identity: identity as string,
          issuer: issuer as string,
        })
      : await readPublicKey(key);
  const image = await openImage(text);
  const { client, repository, name } = image;
  try {
    const { digest } = (await fetchManifest(client, repository, name)).descriptor;
    const found =
      type === undefined
        ? await verifyImage(client, repository, digest, by)
        : await verifyAttestation(client, repository, digest, by, { type, builder, source });
    const reference = formatReference({ registry: image.reference.registry, repository, digest });
    if (json) {
      const plain = found.map(({ digest, mediaType }) => ({ digest, mediaType }));
      printJson({ reference, [type === undefined ? "signatures" : "attestations"]: plain });
    } else process.stdout.write(`${reference}\n`);
  } finally {
    client.close();
  }
}
