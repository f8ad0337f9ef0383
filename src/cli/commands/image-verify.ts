import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { verifyAttestation } from "../../signatures/attestations.ts";
import { readPublicKey } from "../../signatures/keys.ts";
import { verifyImage } from "../../signatures/verify.ts";
import { command } from "../command.ts";
import { openImage, referenceTo } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";
import { image, json, text } from "./options.ts";
import { printJson } from "./output.ts";

/** Prints the reference by digest. @throws Failure if no signature is valid. UserError for options, key or reference */
export const verify = command(
  {
    image,
    key: text("Public key: a PEM file, env://NAME, or awskms:///alias/NAME"),
    identity: text("Without a key: the identity in the certificate, such as an e-mail address"),
    issuer: text("Without a key: the URL of the service that vouched for the identity"),
    type: text("An attestation instead: slsaprovenance1, spdxjson, cyclonedx, or a predicate's URI"),
    builder: text("Provenance: the ID of the builder that it must name"),
    source: text("Provenance: the URL of the source repository that it must name"),
    json,
  },
  async ({ image: named, json, key, identity, issuer, type, builder, source }) => {
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
    using image = await openImage(named);
    const { client, repository, name } = image;
    const { digest } = (await fetchManifest(client, repository, name)).descriptor;
    const found =
      type === undefined
        ? await verifyImage(client, repository, digest, by)
        : await verifyAttestation(client, repository, digest, by, { type, builder, source });
    const reference = referenceTo(image, digest);
    if (json) {
      const plain = found.map(({ digest, mediaType }) => ({ digest, mediaType }));
      printJson({ reference, [type === undefined ? "signatures" : "attestations"]: plain });
    } else process.stdout.write(`${reference}\n`);
  },
  (yargs) =>
    yargs
      .conflicts("key", ["identity", "issuer"])
      .example("$0 image verify registry.example.com/team/app:v1 --key cosign.pub", "Verify with a key"),
);
