import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { fulcioHandler, initializeCA, initializeCTLog, initializeTLog, rekorHandler } from "@sigstore/mock";
import { onTestFinished } from "vitest";
import type { SigstoreServices } from "../keyless.ts";

/** Numbers of Sigstore's protobuf specification. */
const [sha256, ecdsaP256] = [1, 5];
const always = { start: new Date(0) };

/** Starts Sigstore's certificate authority and its logs, as its developers mock them. They end with the test. */
export async function startSigstore(): Promise<SigstoreServices> {
  const newKey = () => generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const certificateLog = await initializeCTLog(newKey());
  const authority = await initializeCA(newKey(), certificateLog);
  const log = await initializeTLog("https://rekor.test", newKey());
  const handlers = [fulcioHandler(authority), rekorHandler({ ...log, log: (entry: object) => log.log(recorded(entry)) })];
  const server = createServer(async (request, response) => {
    const handler = handlers.find(({ path }) => path === request.url);
    if (!handler) return void response.writeHead(404).end();
    const { statusCode, response: body, contentType = "text/plain" } = await handler.fn(await text(request));
    response.writeHead(statusCode, { "content-type": contentType }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const logOf = (publicKey: Buffer, keyId = createHash("sha256").update(publicKey).digest()) => ({
    baseUrl: "https://rekor.test",
    logId: { keyId },
    hashAlgorithm: sha256,
    publicKey: { rawBytes: publicKey, keyDetails: ecdsaP256, validFor: always },
    checkpointKeyId: undefined,
    operator: "",
  });
  const certificates = [{ rawBytes: Buffer.from(authority.rootCertificate as Uint8Array) }];
  const root = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [logOf(log.publicKey)],
    ctlogs: [logOf(certificateLog.publicKey)],
    certificateAuthorities: [{ uri: url, operator: "", subject: undefined, certChain: { certificates }, validFor: always }],
    timestampAuthorities: [],
  };
  return { fulcioBaseURL: url, rekorBaseURL: url, trustedRoot: async () => root };
}

/** The form in which the log keeps an entry, which the mock leaves out: Rekor's type `dsse` 0.0.1. */
function recorded(proposed: object): object {
  type Proposed = { spec: { proposedContent: { envelope: string; verifiers: string[] } } };
  const { envelope, verifiers } = (proposed as Proposed).spec.proposedContent;
  const { payload, signatures } = JSON.parse(envelope);
  const hashOf = (content: string | Buffer) => ({
    algorithm: "sha256",
    value: createHash("sha256").update(content).digest("hex"),
  });
  return {
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: {
      envelopeHash: hashOf(envelope),
      payloadHash: hashOf(Buffer.from(payload, "base64")),
      signatures: [{ signature: signatures[0].sig, verifier: verifiers[0] }],
    },
  };
}

/** An identity token for a subject. Its signature is none, because the mock does not look at it. */
export function identityToken(claims: { readonly iss: string; readonly sub: string }): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode({ alg: "none" })}.${encode({ aud: "sigstore", ...claims })}.${encode({})}`;
}
