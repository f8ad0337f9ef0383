import { imageRules } from "../../config/settings.ts";
import { reportOf, UserError } from "../../core/errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseImageManifest } from "../../oci/manifest.ts";
import { formatReference } from "../../oci/reference.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { findAttestations, predicateTypes } from "../../signatures/attestations.ts";
import { bundleType, predicateAnnotation, readClaim, readStatement, refuteSubject } from "../../signatures/bundle.ts";
import { largestBundle } from "../../signatures/fetch-bundles.ts";
import { type PublicKey, readPublicKey, readSigningKey } from "../../signatures/keys.ts";
import { unverified, type Verdict } from "../../signatures/verify.ts";
import { command } from "../command.ts";
import { fetchImage, type NamedImage, openImage, referenceTo } from "../image/named-image.ts";
import { image, platform, text } from "./options.ts";
import { notice, write } from "./output.ts";

/** Types of artifacts and of attestations, by format. */
const formats = {
  spdx: ["application/spdx+json", "spdxjson"],
  cyclonedx: ["application/vnd.cyclonedx+json", "cyclonedx"],
} as const;

type Format = keyof typeof formats;

/** Bytes of 200,000 packages. */
const maximumSbom = 128 * 1024 * 1024;

const mostNamed = 10;
const mostCompared = 32;

type Refused = Verdict["refused"][number];

interface Candidate {
  readonly descriptor: Descriptor;
  readonly layer: Descriptor;
}

/**
 * Prints the SBOM of a platform's image, else of its index: the one signed with the user's key, else the only attached
 * one, with a note that it is unsigned.
 *
 * @throws UserError if there is none, or several unsigned ones. Failure if none is signed with `key`
 */
export const sbom = command(
  {
    image,
    platform,
    format: { choices: ["spdx", "cyclonedx"], describe: "Format. Default: what is attached" },
    key: text("Print only an SBOM that is signed with this public key"),
    digest: text("Digest of one of several unsigned SBOMs"),
  },
  async ({ image: named, platform, format, key: source, digest }) => {
    using image = await openImage(named);
    const wanted = format === undefined ? (Object.keys(formats) as Format[]) : [format];
    const own = await fetchImage(image, platform);
    const { descriptor } = await fetchManifest(image.client, image.repository, image.name);
    const subjects = [...new Set([own.descriptor.digest, descriptor.digest])];
    const keys = digest === undefined ? await keysFor(image, source) : [];
    const refused: Refused[] = [];
    for (const subject of subjects) if (await printSigned(image, subject, wanted, keys, refused)) return;
    const name = formatReference(image.reference);
    if (source !== undefined) throw unverified(name, source, refused, "SBOM");
    for (const subject of subjects) if (await printUnsigned(image, subject, wanted, digest)) return;
    const kind = format === undefined ? "SBOM" : `SBOM in the format ${format}`;
    const remedy = "Push the image with its `_push` target, which attaches one (docs/sbom.md).";
    const problem = `No ${kind}${digest === undefined ? "" : ` with the digest ${digest}`} is attached to ${name}.`;
    throw new UserError({ code: "sbom-not-found", culprit: name }, problem, remedy);
  },
  (yargs) =>
    yargs
      .conflicts("key", "digest")
      .example("$0 image sbom registry.example.com/team/app:v1 > app.spdx.json", "Save an SBOM for a scanner"),
);

/** The command's key comes first, then those of the configuration file. */
async function keysFor({ reference, repository }: NamedImage, source: string | undefined): Promise<PublicKey[]> {
  if (source !== undefined) return [await readPublicKey(source)];
  const { requiredKey, signingKey } = await imageRules(reference.registry, repository);
  if (requiredKey) return [await readPublicKey(requiredKey.source)];
  if (!signingKey) return [];
  try {
    return [(await readSigningKey(signingKey.source)).publicKey];
  } catch (error) {
    // Its password may be known to pushes only.
    notice(`${reportOf(error)} So no SBOM is verified with this key`);
    return [];
  }
}

async function printSigned(
  { client, repository }: NamedImage,
  subject: Digest,
  wanted: readonly Format[],
  keys: readonly PublicKey[],
  refused: Refused[],
): Promise<boolean> {
  for (const key of keys) {
    for (const format of wanted) {
      const found = await findAttestations(client, repository, subject, key, { type: formats[format][1] });
      refused.push(...found.refused);
      const [first] = found.verified;
      // The right one may be what the registry did not give.
      if (!first && found.failure) throw found.failure;
      if (!first) continue;
      await print(textOf(first.predicate.value));
      return true;
    }
  }
  return false;
}

/** A program gets the bytes, a terminal gets text, which is escaped. */
function print(content: Buffer): Promise<void> {
  return write(process.stdout, process.stdout.isTTY ? content.toString() : content);
}

function textOf(document: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(document)}\n`);
}

async function printUnsigned(
  image: NamedImage,
  subject: Digest,
  wanted: readonly Format[],
  digest: string | undefined,
): Promise<boolean> {
  const { client, repository } = image;
  const listed = await client.referrers(repository, subject);
  for (const format of wanted) {
    const [type, attestation] = formats[format];
    const predicateType = predicateTypes[attestation] as string;
    const attached = listed.filter(
      ({ artifactType, annotations, digest: each }) =>
        (digest === undefined || each === digest) &&
        (artifactType === type ||
          (artifactType === bundleType && annotations?.[predicateAnnotation] === predicateType)),
    );
    const name = referenceTo(image, subject);
    if (attached.length > mostCompared) throw ambiguous(name, attached);
    const candidates = await candidatesOf(image, attached);
    const [first] = candidates;
    if (!first) continue;
    if (new Set(candidates.map(({ layer }) => layer.digest)).size > 1) throw ambiguous(name, attached);
    const isBundle = first.layer.mediaType === bundleType;
    const found = referenceTo(image, first.descriptor.digest);
    // As a whole, so that nothing of a document with another digest is printed.
    const limit = isBundle ? largestBundle : maximumSbom;
    const bytes = await client.readBlob(repository, first.layer, "SBOM", found, limit);
    const content = isBundle ? statementOf(bytes, found, subject, predicateType) : bytes;
    const state = isBundle ? "is not verified, since you named no key (--key)" : "is unsigned";
    notice(`SBOM ${first.descriptor.digest} ${state}, so anyone with the right to push may have written it`);
    await print(content);
    return true;
  }
  return false;
}

function statementOf(bytes: Uint8Array, name: string, subject: Digest, type: string): Buffer {
  const statement = readStatement(readClaim(bytes, `Attestation ${name}`));
  const problem =
    refuteSubject(statement, subject) ??
    (statement.predicateType === type ? undefined : `it is of type ${statement.predicateType}`);
  if (problem === undefined) return textOf(statement.predicate.value);
  const culprit = { code: "signature-invalid", culprit: name };
  throw new UserError(
    culprit,
    `Attestation ${name} is no SBOM of this image: ${problem}.`,
    "Choose another with --digest.",
  );
}

async function candidatesOf(
  { client, repository, reference }: NamedImage,
  listed: readonly Descriptor[],
): Promise<Candidate[]> {
  return Promise.all(
    listed.map(async (descriptor) => {
      const { bytes } = await fetchManifest(client, repository, descriptor.digest);
      const [layer] = parseImageManifest(bytes).layers;
      if (layer) return { descriptor, layer };
      const name = formatReference({ ...reference, digest: descriptor.digest });
      const problem = `SBOM ${name} has no content.`;
      throw new UserError({ code: "image-invalid", culprit: name }, problem, "Attach the SBOM again.");
    }),
  );
}

function ambiguous(name: string, candidates: readonly Descriptor[]): UserError {
  const named = candidates.slice(0, mostNamed).map(({ digest, annotations = {} }) => {
    const created = annotations["org.opencontainers.image.created"];
    return created === undefined ? digest : `${digest} (created ${created.slice(0, 40)})`;
  });
  const others = candidates.length > mostNamed ? `, and ${candidates.length - mostNamed} more` : "";
  return new UserError(
    { code: "sbom-ambiguous", culprit: name },
    `${name} has ${candidates.length} SBOMs that no key of yours has signed: ${named.join(", ")}${others}.`,
    "Name the key of the right one with --key, or choose one with --digest.",
  );
}
