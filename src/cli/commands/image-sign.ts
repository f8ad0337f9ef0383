import type { Descriptor } from "../../oci/descriptor.ts";
import { isIndex } from "../../oci/manifest.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { readSigningKey } from "../../signatures/keys.ts";
import { signImage } from "../../signatures/sign.ts";
import { command } from "../command.ts";
import { openImage, referenceTo } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";
import { image, text } from "./options.ts";
import { notice } from "./output.ts";

/** Signs also the images of an index, since engines may pull either. */
export const sign = command(
  {
    image,
    key: text("Private key: a PEM file, env://NAME, or awskms:///alias/NAME. Password: SLIPWAY_KEY_PASSWORD"),
    keyless: {
      type: "boolean",
      describe: "Sign with the identity of this CI job, or of the token in SIGSTORE_ID_TOKEN",
    },
  },
  async ({ image: named, key: source, keyless }) => {
    if (source === undefined && !keyless) {
      throw optionError("--key", "The command has no key to sign with.", "Add --key FILE or --keyless.");
    }
    const key = source === undefined ? undefined : await readSigningKey(source);
    using image = await openImage(named);
    const { client, repository, name } = image;
    const { descriptor, manifest } = await fetchManifest(client, repository, name);
    const signOne = key
      ? (each: Descriptor) => signImage(client, repository, each, key)
      : async (each: Descriptor) => (await import("../../signatures/keyless.ts")).signKeyless(client, repository, each);
    const outcomes = [];
    for (const each of [descriptor, ...(isIndex(manifest) ? manifest.manifests : [])])
      outcomes.push(await signOne(each));
    if (outcomes.every((outcome) => outcome === "unchanged")) notice("the image has a signature by this key already");
    process.stdout.write(`${referenceTo(image, descriptor.digest)}\n`);
  },
  (yargs) =>
    yargs
      .conflicts("key", "keyless")
      .example("$0 image sign registry.example.com/team/app:v1 --key cosign.key", "Sign with a key"),
);
