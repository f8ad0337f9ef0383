import { secureContext } from "../config/trust.ts";
import { splitDigest } from "../oci/digest.ts";
import type { CacheAccess } from "./access.ts";
import type { CacheAddress } from "./address.ts";
import { CacheFault, type FaultKind } from "./fault.ts";
import {
  capabilitiesRequest,
  digestFunctions,
  missingRequest,
  missingResponse,
  readRequest,
  readResponse,
} from "./messages.ts";
import type { BlobStore } from "./store.ts";

const readMethod = "/google.bytestream.ByteStream/Read";
const missingMethod = "/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs";
const capabilitiesMethod = "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities";

/** The Remote Execution API v2. Layers stay as they are, since they are compressed already. */
export async function grpcStore(
  { target, isTls, instance }: CacheAddress & { kind: "grpc" },
  access: CacheAccess,
): Promise<BlobStore> {
  const { connect } = await import("./grpc.mjs");
  const connection = connect(target, isTls ? secureContext(access.trust, "wide", true) : undefined);
  const ask = async (method: string, request: Buffer) =>
    connection.ask(method, request, await access.headers()).catch((error) => {
      throw faultOf(error);
    });

  return {
    async *read({ digest, size }, start, _end, signal) {
      const resource = `${instance ? `${instance}/` : ""}blobs/${splitDigest(digest).hex}/${size}`;
      const answers = connection.read(readMethod, readRequest(resource, start), await access.headers());
      const cancel = () => answers.cancel();
      signal.addEventListener("abort", cancel, { once: true });
      let isWanted = true;
      try {
        signal.throwIfAborted();
        for await (const answer of answers) {
          // A reader that has enough does not come back from here, and the stream ends as cancelled.
          isWanted = false;
          yield readResponse(answer);
          isWanted = true;
        }
      } catch (error) {
        if (isWanted) throw faultOf(error);
      } finally {
        signal.removeEventListener("abort", cancel);
        cancel();
      }
    },

    async missing(blobs) {
      const lacking = missingResponse(await ask(missingMethod, missingRequest(instance, blobs)));
      if (lacking.size === blobs.length && !(await knowsSha256())) {
        throw new CacheFault("permanent", "stores no blob by SHA-256, which images need: set --digest_function=sha256");
      }
      return blobs.filter(({ digest }) => lacking.has(digest));
    },

    close: () => connection.close(),
  };

  /** Asked only if the cache has nothing. */
  async function knowsSha256(): Promise<boolean> {
    const functions = digestFunctions(await ask(capabilitiesMethod, capabilitiesRequest(instance)));
    return functions.length === 0 || functions.includes(sha256Function);
  }
}

/** `DigestFunction.Value`. */
const sha256Function = 1;

const kinds: Readonly<Record<number, FaultKind>> = {
  1: "passing",
  2: "passing",
  4: "passing",
  5: "missing",
  7: "refused",
  8: "passing",
  10: "passing",
  13: "passing",
  14: "passing",
  16: "refused",
};

/** No retry helps against these. */
const untrusted = /certificate|altnames|ENOTFOUND|wrong version number/i;

function faultOf(error: unknown): CacheFault {
  if (error instanceof CacheFault) return error;
  const { code, details, message } = error as { code?: number; details?: string; message?: string };
  const said = (details || message || String(error)).split("\n", 1)[0]?.slice(0, 300);
  // gRPC's text on how it looked for a connection surrounds the cause, and ends in Node's advice or the time.
  const words = said?.replace(
    /^No connection established\. Last error: (?:Error: )?(.*?)(?:; if the root CA .*| \(\d.*Z\)\. Resolution note: .*|\. Resolution note: .*)$/,
    "$1",
  );
  const kind = (code !== undefined && kinds[code]) || "permanent";
  const isHopeless = code === 14 && untrusted.test(words ?? "");
  return new CacheFault(isHopeless ? "permanent" : kind, `answered with gRPC status ${code ?? "unknown"}: ${words}`, {
    cause: error,
  });
}
