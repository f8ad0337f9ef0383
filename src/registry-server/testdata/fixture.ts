import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { type Digest, sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { makeRegistryFolders, type RegistryPaths, registryPaths } from "../paths.ts";
import { type RunningRegistry, startServer } from "../server.ts";

/** A state folder of a test's own, gone when it ends. */
export async function stateOfTest(): Promise<{ env: Record<string, string>; paths: RegistryPaths }> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const env = { HOME: folder, XDG_STATE_HOME: folder };
  return { env, paths: registryPaths(env) };
}

/** A server in this process, stopped when the test ends. */
export async function serverOfTest(
  options: { readonly now?: () => number; readonly paths?: RegistryPaths } = {},
): Promise<RunningRegistry & { paths: RegistryPaths; ask: Ask }> {
  const paths = options.paths ?? (await stateOfTest()).paths;
  await makeRegistryFolders(paths);
  const running = await startServer(paths, options.now ? { now: options.now } : {});
  onTestFinished(() => running.stop());
  return { ...running, paths, ask: askOver({ socketPath: paths.socket }) };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
  /** Of the first error in the body. */
  readonly code: string | undefined;
}

export type Ask = (
  method: string,
  path: string,
  options?: { readonly headers?: Record<string, string>; readonly body?: Uint8Array | string | Readable },
) => Promise<Answer>;

/** Plain HTTP to a place, one connection per request. */
export function askOver(where: { socketPath: string } | { port: number; host?: string }, fixed: Record<string, string> = {}): Ask {
  return (method, path, options = {}) =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", ...where, method, path, agent: false, headers: { ...fixed, ...options.headers } });
      outgoing.once("error", reject);
      outgoing.once("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const body = Buffer.concat(chunks);
          const text = body.toString();
          const code = /^\{"errors":\[\{"code":"([A-Z_]+)"/.exec(text)?.[1];
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text, code });
        });
      });
      if (options.body instanceof Readable) options.body.once("error", (error) => outgoing.destroy(error)).pipe(outgoing);
      else outgoing.end(options.body);
    });
}

/** Sends a blob whole. */
export async function pushBlob(ask: Ask, repository: string, content: Uint8Array | string): Promise<Digest> {
  const digest = sha256(content);
  const { status, text } = await ask("POST", `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content });
  if (status !== 201) throw new Error(`blob: ${status} ${text}`);
  return digest;
}

/** Bytes of a manifest whose configuration and layers are the given contents. */
export function manifestOf(layers: readonly string[], extra: object = {}): Buffer {
  const part = (mediaType: string, content: string) => ({ mediaType, digest: sha256(content), size: Buffer.byteLength(content) });
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: part(mediaTypes.config, "{}"),
      layers: layers.map((layer) => part(mediaTypes.layer, layer)),
      ...extra,
    }),
  );
}

/** Sends an image made of the given layers. */
export async function pushImage(
  ask: Ask,
  repository: string,
  tag: string,
  layers: readonly string[],
  extra: object = {},
): Promise<Digest> {
  for (const content of ["{}", ...layers]) await pushBlob(ask, repository, content);
  const body = manifestOf(layers, extra);
  const { status, text } = await putManifest(ask, repository, tag, body);
  if (status !== 201) throw new Error(`manifest: ${status} ${text}`);
  return sha256(body);
}

export function putManifest(ask: Ask, repository: string, reference: string, body: Uint8Array): Promise<Answer> {
  return ask("PUT", `/v2/${repository}/manifests/${reference}`, { body, headers: { "content-type": mediaTypes.manifest } });
}
