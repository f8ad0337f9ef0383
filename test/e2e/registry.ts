import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { sha256 } from "../../src/oci/digest.ts";
import { askStatus, requestToken, stopServer } from "../../src/registry-server/client.ts";
import { type RegistryPaths, registryPaths } from "../../src/registry-server/paths.ts";
import type { Status } from "../../src/registry-server/protocol.ts";
import type { RequestRecord } from "../../src/registry-server/request-log.ts";
import type { Workspace } from "./workspace.ts";

/** The embedded registry of a workspace's runs, looked at from outside. */
export class Registry {
  readonly paths: RegistryPaths;

  constructor(workspace: Pick<Workspace, "state">) {
    this.paths = registryPaths({ XDG_STATE_HOME: workspace.state });
  }

  /** @throws Error when it does not run */
  async status(): Promise<Status> {
    const status = await askStatus(this.paths.socket);
    if (!status) throw new Error(`no registry runs at ${this.paths.socket}`);
    return status;
  }

  /** Stops it and waits until its process has ended. */
  async stop(): Promise<void> {
    const status = await askStatus(this.paths.socket);
    if (!status) return;
    await stopServer(this.paths);
    while (isRunning(status.pid)) await setTimeout(10);
  }

  /**
   * What tools and engines asked of it while `action` ran; what our own tools say to the server about itself is in it
   * too.
   */
  async requestsDuring(action: () => Promise<unknown>): Promise<RequestRecord[]> {
    await rm(this.paths.requests, { force: true });
    await action();
    const text = await readFile(this.paths.requests, "utf8").catch(() => "");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as RequestRecord);
  }

  /** The digest of a tag; undefined when there is none. */
  async tag(repository: string, tag: string): Promise<string | undefined> {
    return readFile(join(this.paths.data, "repositories", repository, "_tags", tag), "utf8").catch(() => undefined);
  }

  /** A manifest as it is served on the socket. */
  async manifest(repository: string, reference: string): Promise<ServedManifest> {
    const body = await this.#get(`/v2/${repository}/manifests/${reference}`);
    return JSON.parse(body.toString()) as ServedManifest;
  }

  /** Throws unless every blob that it has is what its name says, and every part of the image is served. */
  async verify(repository: string, reference: string): Promise<void> {
    const folder = join(this.paths.data, "blobs/sha256");
    for (const name of await readdir(folder)) {
      const found = sha256(await readFile(join(folder, name)));
      if (found !== `sha256:${name}`) throw new Error(`blob ${name} has the content of ${found}`);
    }
    const { config, layers } = await this.manifest(repository, reference);
    for (const { digest } of [config, ...layers]) {
      const found = sha256(await this.#get(`/v2/${repository}/blobs/${digest}`));
      if (found !== digest) throw new Error(`${digest} is served with the content of ${found}`);
    }
  }

  /** As {@link verify}, for all images of a repository that a program's output names by digest. */
  async verifyNamed(repository: string, output: string): Promise<void> {
    const digests = [...output.matchAll(new RegExp(`/${repository}@(sha256:[0-9a-f]{64})`, "g"))].map(
      ([, digest]) => digest,
    );
    if (digests.length === 0) throw new Error(`no image of ${repository} is named in ${output}`);
    for (const digest of digests) await this.verify(repository, digest as string);
  }

  /** A token to pull with. */
  async token(repository: string): Promise<string> {
    return (await requestToken(this.paths.socket, { repository, actions: ["pull"] })).token;
  }

  async #get(path: string): Promise<Buffer> {
    const question = request({ socketPath: this.paths.socket, path, agent: false }).end();
    const [response] = (await once(question, "response")) as [IncomingMessage];
    const body = await buffer(response);
    if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode} ${body}`);
    return body;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export interface ServedManifest {
  readonly config: { readonly digest: string; readonly size: number };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** Requests to the registry's API, without those of our tools to the server about itself. */
export function ofApi(requests: readonly RequestRecord[]): string[] {
  return requests.filter(({ path }) => path.startsWith("/v2/")).map(({ method, path }) => `${method} ${path}`);
}
