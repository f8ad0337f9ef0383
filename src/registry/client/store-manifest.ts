import { type Digest, digestOf, isDigest, splitDigest } from "../../oci/digest.ts";
import { discard, protocolError } from "./refusal.ts";
import { pushing } from "./scope.ts";
import type { RegistryResponse, Session } from "./session.ts";

interface ManifestToStore {
  readonly repository: string;
  readonly reference: string;
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly signal?: AbortSignal | undefined;
}

export async function storeManifest(
  session: Session,
  { repository, reference, bytes, mediaType, signal }: ManifestToStore,
): Promise<{ readonly digest: Digest; readonly response: RegistryResponse }> {
  const step = { doing: `storing manifest ${reference}`, repository };
  const request = {
    method: "PUT",
    url: `/v2/${repository}/manifests/${reference}`,
    access: pushing(repository),
    headers: { "content-type": mediaType },
    body: { length: bytes.length, open: () => bytes },
    signal,
    step,
  } as const;
  const isStored = ({ status }: RegistryResponse) => status >= 200 && status <= 299;
  const digest = digestOf(isDigest(reference) ? splitDigest(reference).algorithm : "sha256", bytes);
  let response = await session.send(request);
  if (!isStored(response)) {
    const refusal = await session.refusal(response, step);
    // The distribution project's registry says so when another client is storing the same bytes.
    const isOdd = response.status === 400 && / DIGEST_INVALID\b/.test(refusal.message);
    if (!isOdd || (isDigest(reference) && reference !== digest)) throw refusal;
    response = await session.send(request);
    if (!isStored(response)) throw await session.refusal(response, step);
  }
  await discard(response);
  const said = response.headers["docker-content-digest"];
  if (isDigest(said) && splitDigest(said).algorithm === splitDigest(digest).algorithm && said !== digest) {
    const problem = `stored ${said} instead of ${digest} while ${step.doing} in ${repository}`;
    throw protocolError(session.endpoint.registry, problem);
  }
  return { digest, response };
}
