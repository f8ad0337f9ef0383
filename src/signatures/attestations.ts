import { UserError } from "../core/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { JsonNode } from "../oci/json.ts";
import { formatReference } from "../oci/reference.ts";
import { type RegistryClient, referrersTag } from "../registry/client/client.ts";
import { composeBundle, readClaim, type Statement } from "./bundle.ts";
import { bundlesOf, type FoundSignature, fetchLayers, type ListedBundle, largestBundle } from "./fetch-bundles.ts";
import type { SigningKey } from "./keys.ts";
import { attachBundle } from "./sign.ts";
import { judgeBundles, judgeOf, merge, unverified, type Verdict, type Verifier } from "./verify.ts";

/** By the names that cosign gives them. */
export const predicateTypes: Readonly<Record<string, string>> = {
  slsaprovenance1: "https://slsa.dev/provenance/v1",
  spdxjson: "https://spdx.dev/Document",
  cyclonedx: "https://cyclonedx.org/bom",
};

/** Under the tag `sha256-HEX.att`, in which cosign keeps attestations before version 3. */
const envelopeType = "application/vnd.dsse.envelope.v1+json";

export interface Expected {
  /** A name of {@link predicateTypes}, or a URI. */
  readonly type: string;
  /** SLSA provenance: the builder's ID. */
  readonly builder?: string | undefined;
  /** SLSA provenance: the URL. */
  readonly source?: string | undefined;
}

export interface Attestation extends FoundSignature {
  readonly predicateType: string;
  readonly predicate: JsonNode;
}

/**
 * Verifies an in-toto statement in a bundle that refers to the image, or under the tag `sha256-HEX.att`.
 * @param image its digest. The caller has verified that the image has it
 * @throws Failure that names image and key. UserError if the type is no name and no URI
 */
export async function verifyAttestation(
  client: RegistryClient,
  repository: string,
  image: Digest,
  by: Verifier,
  expected: Expected,
): Promise<readonly Attestation[]> {
  const { verified, refused, failure } = await findAttestations(client, repository, image, by, expected);
  if (verified.length > 0) return verified;
  if (failure) throw failure;
  const name = formatReference({ registry: client.registry, repository, digest: image });
  throw unverified(name, judgeOf(by).name, refused, `attestation of type ${expected.type}`);
}

export async function findAttestations(
  client: RegistryClient,
  repository: string,
  image: Digest,
  by: Verifier,
  expected: Expected,
): Promise<Verdict<Attestation>> {
  const type = predicateUri(expected.type);
  const judge = judgeOf(by);
  const accept = ({ predicateType, predicate }: Statement, signature: FoundSignature) =>
    refuteProvenance(predicate, expected) ?? { ...signature, predicateType, predicate };
  const found = await judgeBundles(bundlesOf(client, repository, image, type), image, type, judge, accept);
  if (!judge.key || found.verified.length > 0) return found;
  return merge(found, await judgeBundles(envelopesOf(client, repository, image), image, type, judge, accept));
}

/**
 * Signs and attaches as cosign 3 does.
 * @throws UserError if it is too large. UserError or Failure of key or registry
 */
export async function attest(
  client: RegistryClient,
  repository: string,
  image: Descriptor,
  statement: Uint8Array,
  key: SigningKey,
  options: { readonly isNew: boolean; readonly predicateType: string },
): Promise<void> {
  const content = await composeBundle(statement, key);
  if (content.length > largestBundle) {
    const name = formatReference({ registry: client.registry, repository, digest: image.digest });
    throw new UserError(
      { code: "image-unsuitable", culprit: name },
      `The document of type ${options.predicateType} about ${name} is too large to be signed: ${content.length} bytes, more than ${largestBundle}.`,
      "Make smaller images, or build without SBOM: --@slipway//bazel/settings:sbom=none.",
    );
  }
  await attachBundle(client, repository, image, content, options);
}

/** As SLSA provenance names it. `isClean`: it had no changes. */
export function sourceOf(predicate: JsonNode): { readonly url: string; readonly isClean: boolean } | undefined {
  const definition = predicate.get("buildDefinition");
  const all = definition.optional("resolvedDependencies")?.items() ?? [];
  const sources = all.filter((each) => each.optional("uri")?.string().startsWith("git+"));
  const source = sources.find((each) => each.optional("name")?.value === "source") ?? only(sources);
  // GitHub's builders name it here.
  const workflow = definition.optional("externalParameters")?.optional("workflow")?.optional("repository");
  const url = source?.get("uri").string() ?? workflow?.string();
  if (url === undefined) return undefined;
  return { url: repositoryOf(url), isClean: source?.optional("annotations")?.optional("clean")?.value !== false };
}

/** The reason why the builder or the source repository is wrong. */
function refuteProvenance(predicate: JsonNode, { builder, source }: Expected): string | undefined {
  if (builder !== undefined) {
    const id = predicate.get("runDetails").get("builder").get("id").string();
    if (id !== builder) return `its builder is ${id}`;
  }
  if (source === undefined) return undefined;
  const found = sourceOf(predicate);
  if (!found) return "it names no source repository; build with --stamp";
  if (found.url !== repositoryOf(source)) return `its source repository is ${found.url}`;
  return found.isClean ? undefined : `its source had changes that ${found.url} lacks`;
}

/** `https://HOST/PATH` of `git+https://HOST/PATH.git@REVISION`, and the same of `git@HOST:PATH`. */
function repositoryOf(uri: string): string {
  const [, url = ""] = /^(?:git\+)?(\w+:\/\/[^/]*\/[^@]*|[^@/]*@[^@]*|[^@]*)/.exec(uri) ?? [];
  return url.replace(/\/+$/, "").replace(/\.git$/, "");
}

function only<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}

function predicateUri(type: string): string {
  if (Object.hasOwn(predicateTypes, type)) return predicateTypes[type] as string;
  if (URL.canParse(type)) return type;
  throw new UserError(
    { code: "command-line-invalid", culprit: type },
    `${JSON.stringify(type)} is not a type of attestations.`,
    `Write ${Object.keys(predicateTypes).join(", ")}, or the URI of a predicate's type.`,
  );
}

async function* envelopesOf(client: RegistryClient, repository: string, image: Digest): AsyncGenerator<ListedBundle> {
  const tag = `${referrersTag(image)}.att`;
  for await (const { layer, read: readBytes } of fetchLayers(client, repository, tag, envelopeType)) {
    const { digest } = layer;
    const read = async () => {
      const bytes = await readBytes();
      return { bytes, claim: readClaim(bytes, `Attestation ${digest}`, true) };
    };
    yield { digest, mediaType: envelopeType, read };
  }
}
