import { generateKeyPairSync } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { pullBase } from "../../src/build/pull/pull.ts";
import { executable } from "../../src/core/testdata/executable.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { ContainerWorkers } from "../../src/functions/container-workers.ts";
import { PodWorkers } from "../../src/functions/pod-workers.ts";
import type { PreparedCluster } from "../../src/functions/prepared-cluster.ts";
import { start } from "../../src/functions/testdata/batch.ts";
import type { WorkerGroup } from "../../src/functions/worker.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import type { RegistryClient } from "../../src/registry/client/client.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { openByName } from "../../src/registry/open-by-name.ts";
import { pushImage, serverOfTest, stateOfTest } from "../../src/registry-server/testdata/fixture.ts";
import { restartService, rollBackService } from "../../src/services/kubernetes/history.ts";
import { resolveService } from "../../src/services/resolve.ts";
import { syncImage } from "../../src/services/sync-image.ts";
import { serviceOf } from "../../src/services/testdata/service.ts";
import { attest } from "../../src/signatures/attestations.ts";
import { composeStatement } from "../../src/signatures/bundle.ts";
import { readSigningKey } from "../../src/signatures/keys.ts";
import { runnableImage } from "../../src/signatures/runnable-image.ts";
import { signImage } from "../../src/signatures/sign.ts";

const provenance = "https://slsa.dev/provenance/v1";

interface Attack {
  readonly env: Readonly<Record<string, string>>;
  /** By its tag, which a colleague may move. */
  readonly tagged: string;
  /** By the digest that the tag had before. */
  readonly pinned: string;
  readonly moveTag: () => Promise<string>;
}

/** An image that the configuration file requires a signature of. */
async function imageOfTest(signedBy: "nobody" | "wrong" | "right", attestation: "none" | "missing" | "there") {
  const { env: own, paths } = await stateOfTest();
  const { ask, host } = await serverOfTest({ paths });
  const folder = temporaryFolder();
  for (const name of ["wrong", "right"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(folder, `${name}.key`), privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
  }
  const more = attestation === "none" ? "" : ", attestations: [{type: slsaprovenance1}]";
  const configuration = join(folder, "config.yaml");
  writeFileSync(configuration, `images: {${host}/team: {require: {signature: {key: right.pub}${more}}}}`);
  const env = { ...own, SLIPWAY_CONFIG: configuration };
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  const digest = (await pushImage(ask, "team/app", "v1", ["code"])) as never;
  const image = { mediaType: mediaTypes.manifest, digest, size: 1 };
  const key = (name: string) => readSigningKey(join(folder, `${name}.key`), {});
  if (signedBy !== "nobody") await signImage(client, "team/app", image, await key(signedBy));
  if (attestation === "there") {
    const statement = composeStatement(digest, provenance, {});
    await attest(client, "team/app", image, statement, await key("right"), { isNew: true, predicateType: provenance });
  }
  const pinned = `${host}/team/app@${digest}`;
  const moveTag = () => pushImage(ask, "team/app", "v1", ["hostile code"]);
  return { env, tagged: `${host}/team/app:v1`, pinned, moveTag } satisfies Attack;
}

/** Starts one worker. Settles with its end. */
async function startOne(opened: Promise<WorkerGroup>): Promise<void> {
  const group = await opened;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const nothing = () => {};
  const ofWorker = { onStart: nothing, onConnect: nothing, onData: nothing, onOutput: nothing };
  group.start({ ...ofWorker, onEnd: () => resolve() });
  await ended;
  await group.close();
}

/** A cluster that has a service with an earlier revision. @returns the requests that change it, too */
function clusterWith(image: string) {
  const changes: string[] = [];
  const labels = { "app.kubernetes.io/name": "web", "app.kubernetes.io/managed-by": "slipway" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image, ports: [] }] } };
  const of = (revision: string) => ({ annotations: { "deployment.kubernetes.io/revision": revision } });
  const owner = { ownerReferences: [{ uid: "1" }], creationTimestamp: "2026-01-01T00:00:00Z" };
  const metadata = { name: "web", uid: "1", resourceVersion: "1", labels: new Proxy(labels, { get: anyLabel }) };
  const sets = ["1", "2"].map((revision) => ({ metadata: { ...of(revision), ...owner }, spec: { template } }));
  const ask = async (method: string, path: string) => {
    if (method !== "GET") changes.push(`${method} ${path}`);
    if (method !== "GET") throw new Error("this cluster changes nothing");
    if (path.includes("replicasets")) return { items: sets, metadata: {} };
    return { metadata: { ...metadata, ...of("2") }, spec: { replicas: 1, template } };
  };
  const api = { ask, requests: 0 };
  return { changes, cluster: { api, namespace: "n", owner: "me", context: "c", nodeLocal: true } as never };
}

/** Any label that is asked for is there: what services are found by is not what is tested. */
function anyLabel(_: object, name: string): string {
  return name === "app.kubernetes.io/managed-by" ? "slipway" : "web";
}

/** @returns whether it got past the check, and what it ran by */
type Door = (attack: Attack) => Promise<string>;

/** The name of an error that comes after the check, or throws the check's. */
async function pastCheck(action: Promise<unknown>): Promise<void> {
  await action.catch((error: { code?: string }) => {
    if (error.code?.startsWith("signature-")) throw error;
  });
}

const doors: Record<string, Door> = {
  "a function in a container": async ({ env, tagged }) => {
    const log = join(temporaryFolder(), "log");
    const client = { name: "podman", path: executable("podman", `#!/bin/sh\necho "$@" >> ${log}\n`) } as const;
    const engine = new ContainerWorkers(client, { ...env, PATH: process.env["PATH"] }, undefined);
    try {
      await pastCheck(startOne(engine.open({ ...start, image: tagged })));
    } catch (error) {
      expect(existsSync(log)).toBe(false);
      throw error;
    }
    expect(existsSync(log)).toBe(true);
    return runnableImage(tagged, env);
  },
  "a function in a cluster": async ({ env, pinned }) => {
    const { cluster, changes } = clusterWith(pinned);
    const asked: string[] = [];
    const note = async (image: string) => {
      asked.push(image);
      throw new Error("past the check");
    };
    const prepared = { cluster: Promise.resolve(cluster), swept: Promise.resolve(), access: note, files: note };
    const engine = new PodWorkers(env, [], prepared as unknown as PreparedCluster);
    try {
      await pastCheck(startOne(engine.open({ ...start, image: pinned }, () => {})));
    } finally {
      expect(changes).toEqual([]);
    }
    return asked[0] ?? "";
  },
  "service apply": async ({ env, tagged }) => {
    return (await resolveService(serviceOf({ name: "web", image: tagged, port: 80 }), env)).image;
  },
  "service restart in a cluster": async ({ pinned }) => {
    const { cluster, changes } = clusterWith(pinned);
    await pastCheck(restartService(cluster, "web")).catch((error) => {
      expect(changes).toEqual([]);
      throw error;
    });
    expect(changes).toHaveLength(1);
    return pinned;
  },
  "service rollback in a cluster": async ({ pinned }) => {
    const { cluster, changes } = clusterWith(pinned);
    await pastCheck(rollBackService(cluster, "web", 1)).catch((error) => {
      expect(changes).toEqual([]);
      throw error;
    });
    expect(changes.length).toBeGreaterThan(0);
    return pinned;
  },
  "the image of a job": ({ env, tagged }) => runnableImage(tagged, env),
  "a sync image that the user names": async ({ env, pinned }) =>
    (await syncImage({ ...env, SLIPWAY_SYNC_IMAGE: pinned })).reference,
  "a base image": async ({ env, pinned }) => {
    const open = (registry: string): Promise<RegistryClient> => openByName(registry, env);
    const [image = ""] = pinned.split("@");
    const request = { image, digest: pinned.slice(image.length + 1), platforms: [], known: ["linux/amd64"] };
    // What the registry of these tests has is no whole image.
    await pastCheck(pullBase(request, open, env));
    return pinned;
  },
};

describe.each(Object.entries(doors))("%s", (_, door) => {
  const at = async (attack: Attack) => {
    for (const [name, value] of Object.entries(attack.env)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    return door(attack).catch((error: { code?: string }) => error.code ?? String(error));
  };

  it("runs nothing that is unsigned, signed with another key, or without the attestation", async () => {
    expect(await at(await imageOfTest("nobody", "none"))).toBe("signature-missing");
    expect(await at(await imageOfTest("wrong", "none"))).toBe("signature-invalid");
    expect(await at(await imageOfTest("right", "missing"))).toBe("signature-missing");
  });

  it("runs what has the signature and the attestation", async () => {
    for (const attestation of ["none", "there"] as const) {
      const attack = await imageOfTest("right", attestation);
      expect(await at(attack)).toBe(attack.pinned);
    }
  });

  it("runs what was verified, though the tag has moved since", async () => {
    const attack = await imageOfTest("right", "none");
    expect(await at(attack)).toBe(attack.pinned);
    await attack.moveTag();
    const again = await at(attack);
    expect([attack.pinned, "signature-missing"]).toContain(again);
  });
});
