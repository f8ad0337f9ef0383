import { join } from "node:path";
import { bundleFromJSON, bundleToJSON, type SerializedBundle } from "@sigstore/bundle";
import { CIContextProvider, DSSEBundleBuilder, FulcioSigner, RekorWitness } from "@sigstore/sign";
import { getTrustedRoot } from "@sigstore/tuf";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { cacheFolder } from "../core/user-folders.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { canonicalJson } from "../oci/json.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { composeStatement, statementType } from "./bundle.ts";
import { attachBundle } from "./sign.ts";
import type { Judge } from "./verify.ts";

export interface SigstoreServices {
  /** URL of the service that certifies keys. */
  readonly fulcioBaseURL: string;
  /** URL of the transparency log. */
  readonly rekorBaseURL: string;
  trustedRoot(): ReturnType<typeof getTrustedRoot>;
}

const publicServices: SigstoreServices = {
  fulcioBaseURL: "https://fulcio.sigstore.dev",
  rekorBaseURL: "https://rekor.sigstore.dev",
  trustedRoot: () =>
    getTrustedRoot({ cachePath: join(cacheFolder(), "sigstore") }).catch((cause) => {
      throw serviceFailure("https://tuf-repo-cdn.sigstore.dev", cause);
    }),
};

/** By its certificate. */
export interface Identity {
  /** An e-mail address, or the URL of a workflow. */
  readonly identity: string;
  /** The URL of the service that vouched for it. */
  readonly issuer: string;
}

/**
 * Signs with a key for this signature only. Sigstore certifies it for the identity of this CI job or of the token in
 * `SIGSTORE_ID_TOKEN`, and logs it in public.
 * @param services default: Sigstore's public ones
 * @throws Failure if a service does not answer. UserError if there is no identity, and of the registry
 */
export async function signKeyless(
  client: RegistryClient,
  repository: string,
  image: Descriptor,
  env: Environment = process.env,
  { fulcioBaseURL, rekorBaseURL }: SigstoreServices = publicServices,
): Promise<"signed"> {
  const token = env["SIGSTORE_ID_TOKEN"];
  const identityProvider = token ? { getToken: async () => token } : new CIContextProvider("sigstore");
  await identityProvider.getToken().catch((cause) => {
    throw new UserError(
      { code: "sigstore-failed", culprit: "SIGSTORE_ID_TOKEN" },
      "This machine has no identity to sign with: it is no CI job with an identity token, and SIGSTORE_ID_TOKEN is not set.",
      "Allow the CI job to ask for identity tokens, put one for the audience `sigstore` into SIGSTORE_ID_TOKEN, or sign with --key.",
      { cause },
    );
  });
  const builder = new DSSEBundleBuilder({
    signer: new FulcioSigner({ fulcioBaseURL, identityProvider, retry: 1, timeout: 10_000 }),
    witnesses: [new RekorWitness({ rekorBaseURL, entryType: "dsse", retry: 1, timeout: 10_000 })],
  });
  const bundle = await builder
    .create({ data: Buffer.from(composeStatement(image.digest)), type: statementType })
    .catch((cause) => {
      throw serviceFailure(`${fulcioBaseURL} and ${rekorBaseURL}`, cause);
    });
  await attachBundle(client, repository, image, canonicalJson(bundleToJSON(bundle)));
  return "signed";
}

/** By Sigstore's public services, unless `services` has others. @throws Failure if the services do not answer */
export async function identityJudge(
  { identity, issuer }: Identity,
  services: SigstoreServices = publicServices,
): Promise<Judge> {
  const verifier = new Verifier(toTrustMaterial(await services.trustedRoot()));
  const policy = { subjectAlternativeName: identity, extensions: { issuer } };
  return {
    name: `${identity} of ${issuer}`,
    refute: ({ bytes }) => {
      try {
        const bundle = bundleFromJSON(JSON.parse(bytes.toString()) as SerializedBundle);
        verifier.verify(toSignedEntity(bundle), policy);
        return undefined;
      } catch (error) {
        return (error as Error).message.replace(/\.$/, "");
      }
    },
  };
}

function serviceFailure(services: string, cause: Error): Failure {
  const root = (cause as { cause?: Error }).cause ?? cause;
  return new Failure(
    { code: "sigstore-failed", culprit: services },
    `Sigstore (${services}) failed: ${root.message.split("\n", 1)[0]?.replace(/\.$/, "")}.`,
    "Check the network and the proxy variables, or use a key with --key.",
    { cause },
  );
}
