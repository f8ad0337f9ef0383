import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished } from "vitest";
import { type Outcome, run } from "../../../src/cli/testdata/slipway.ts";
import type { ErrorCode } from "../../../src/core/error-codes.ts";
import { temporaryFolder } from "../../../src/core/testdata/folder.ts";
import { type Digest, sha256 } from "../../../src/oci/digest.ts";
import { mediaTypes } from "../../../src/oci/media-types.ts";
import type { RegistryClient } from "../../../src/registry/client/client.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { listen } from "../../../src/registry/client/testdata/listen.ts";
import { registryPaths } from "../../../src/registry-server/paths.ts";
import { serverOfTest } from "../../../src/registry-server/testdata/fixture.ts";
import { attest } from "../../../src/signatures/attestations.ts";
import { composeStatement } from "../../../src/signatures/bundle.ts";
import { readSigningKey } from "../../../src/signatures/keys.ts";
import { signImage } from "../../../src/signatures/sign.ts";
import type { SmallImage } from "../../cluster/testdata/image.ts";
import { startDockerRegistry } from "../../registries/testdata/docker-registry.ts";

const provenance = "https://slsa.dev/provenance/v1";
const repository = "team/app";

type Env = Readonly<Record<string, string>>;

interface Started {
  readonly client: RegistryClient;
  /** As the user names it. */
  readonly host: string;
  /** Called once, when a client asks for the signatures of an image. */
  onLookup(act: () => Promise<unknown>): void;
}

/** What a failed `service apply --rollback` said, with the code of the reason why it brought nothing back. */
export function undoing({ error, ...outcome }: Outcome): Outcome {
  expect({ ...outcome, error }).toMatchObject({ status: 1, error: expect.stringMatching(/\[service-not-ready\]\n$/) });
  const [reason] = /No (signature|attestation) of|has no (signature|attestation)/.exec(error) ?? [];
  const code = reason === undefined ? "" : ` [signature-${reason.startsWith("No") ? "invalid" : "missing"}]`;
  return { ...outcome, error: error.replace(" [service-not-ready]", code) };
}

/** Registries that have images whose signatures are required. Colleagues may push to them. */
export const guardedRegistries = {
  "the embedded registry": async (env: Env): Promise<Started> => {
    const { host, paths } = await serverOfTest({ paths: registryPaths(env) });
    return { host, client: openRegistry(host, { embedded: { socketPath: paths.socket } }), onLookup: () => {} };
  },
  "docker-registry": async (): Promise<Started> => {
    const target = await startDockerRegistry({ auth: "none" });
    let act: (() => Promise<unknown>) | undefined;
    const server = createServer(async (incoming, response) => {
      const { method, url = "", headers } = incoming;
      const first = /\/referrers\/|\/manifests\/sha256-/.test(url) ? act : undefined;
      if (first) act = undefined;
      await first?.();
      const outgoing = request(`http://${target}${url}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      outgoing.on("error", () => response.destroy());
      incoming.pipe(outgoing);
    });
    const onLookup = (then: () => Promise<unknown>) => {
      act = then;
    };
    return { host: `localhost:${await listen(server)}`, client: openRegistry(target), onLookup };
  },
} as const;

export type GuardedRegistry = keyof typeof guardedRegistries;

/** A user of the command line. From {@link guard} on, a rule requires signature and provenance of `HOST/team`. */
export class GuardedUser {
  readonly env: Env;
  readonly #registry: Started;
  readonly #folder = temporaryFolder();
  readonly #settings: object;

  private constructor(env: Env, registry: Started, settings: object) {
    this.#registry = registry;
    this.#settings = settings;
    this.env = { ...env, SLIPWAY_CONFIG: join(this.#folder, "config.yaml") };
    onTestFinished(() => registry.client.close());
    for (const name of ["wrong", "right"]) {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      writeFileSync(join(this.#folder, `${name}.key`), privateKey.export({ format: "pem", type: "pkcs8" }));
      writeFileSync(join(this.#folder, `${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
    }
    this.configure(false);
  }

  static async make(name: GuardedRegistry, env: Env, settings: object = {}): Promise<GuardedUser> {
    return new GuardedUser(env, await guardedRegistries[name](env), settings);
  }

  get tagged(): string {
    return `${this.#registry.host}/${repository}:v1`;
  }

  pinned(digest: string): string {
    return `${this.#registry.host}/${repository}@${digest}`;
  }

  /** @param isGuarded whether there is a rule */
  configure(isGuarded: boolean, more: object = {}): void {
    const signature = { key: join(this.#folder, "right.pub") };
    const require = { signature, attestations: [{ type: "slsaprovenance1" }] };
    const images = isGuarded ? { [`${this.#registry.host}/team`]: { require } } : {};
    const settings = JSON.stringify({ ...this.#settings, ...more, images });
    writeFileSync(join(this.#folder, "config.yaml"), settings);
  }

  async push({ digest, manifest, blobs }: SmallImage, tag = "v1"): Promise<Digest> {
    const { client } = this.#registry;
    for (const blob of blobs) {
      const descriptor = { digest: sha256(blob), size: blob.length };
      const open = (start: number, end: number) => Readable.from([blob.subarray(start, end)]);
      await client.pushBlob({ repository, descriptor, open });
    }
    await client.putManifest(repository, tag, manifest, mediaTypes.manifest);
    return digest;
  }

  /** Moves the tag `v1` after a command has looked it up, and before it has verified the image. */
  pushMeanwhile(image: SmallImage): void {
    this.#registry.onLookup(() => this.push(image));
  }

  async sign(digest: Digest, by: "wrong" | "right"): Promise<void> {
    const image = { mediaType: mediaTypes.manifest, digest, size: 1 };
    await signImage(this.#registry.client, repository, image, await this.#key(by));
  }

  async attest(digest: Digest, by: "wrong" | "right"): Promise<void> {
    const image = { mediaType: mediaTypes.manifest, digest, size: 1 };
    const statement = composeStatement(digest, provenance, {});
    const options = { isNew: false, predicateType: provenance };
    await attest(this.#registry.client, repository, image, statement, await this.#key(by), options);
  }

  /**
   * Runs a command for an image without a signature, with a stranger's, with the right one, and with a stranger's
   * attestation besides: all of them refuse it. At last with the right attestation too.
   * @param isClosed checks after each refusal that nothing runs
   * @returns what the last one said
   */
  async knock(digest: Digest, door: () => Promise<Outcome>, isClosed: () => Promise<unknown> = async () => {}) {
    const refused = async (state: string, code: ErrorCode, status = 1) => {
      const { error, ...outcome } = await door();
      expect({ state, status: outcome.status, code: /\[([a-z-]+)\]\n*$/.exec(error)?.[1], error }).toMatchObject({
        state,
        status,
        code,
        error: expect.stringContaining(digest),
      });
      await isClosed();
    };
    this.configure(true);
    await refused("unsigned", "signature-missing");
    await this.sign(digest, "wrong");
    await refused("signed with another key", "signature-invalid");
    await this.sign(digest, "right");
    await refused("without its attestation", "signature-missing");
    await this.attest(digest, "wrong");
    await refused("with an attestation by another key", "signature-invalid");
    await this.attest(digest, "right");
    return door();
  }

  write(name: string, content: object): void {
    writeFileSync(join(this.#folder, name), JSON.stringify(content));
  }

  slipway(...args: readonly string[]): Promise<Outcome> {
    return run(args, { env: this.env, cwd: this.#folder });
  }

  #key(name: string) {
    return readSigningKey(join(this.#folder, `${name}.key`), {});
  }
}
