import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { installedClient } from "../../src/containers/testdata/image.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { ContainerWorkers } from "../../src/functions/container-workers.ts";
import { PodWorkers } from "../../src/functions/pod-workers.ts";
import { start } from "../../src/functions/testdata/batch.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { openByName } from "../../src/registry/open-by-name.ts";
import { readSigningKey } from "../../src/signatures/keys.ts";
import { runnableImage } from "../../src/signatures/runnable-image.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { shellImage } from "./testdata/image.ts";
import { TestNamespace } from "./testdata/namespace.ts";
import { allInEmbeddedRegistry } from "./testdata/registries.ts";
import { ShellUser, textOf } from "./testdata/shell.ts";

/** A user with an image, of which the configuration file requires a signature, and an attestation if asked. */
async function restricted(signedBy: "nobody" | "wrong" | "right", more = "") {
  const namespace = await TestNamespace.make();
  const images = await allInEmbeddedRegistry(
    [shellImage(), shellImage({ Labels: { of: "a colleague" } })],
    namespace.env,
  );
  const [image = "", hostile = ""] = images;
  const folder = temporaryFolder();
  for (const name of ["wrong", "right"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(folder, `${name}.key`), privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ format: "pem", type: "spki" }));
  }
  const configuration = join(folder, "config.yaml");
  // The nodes of these clusters share the network of this machine.
  const cluster = "kubernetes: {contexts: {test: {nodeLocal: true}}}";
  writeFileSync(configuration, `${cluster}\nimages: {"*": {require: {signature: {key: right.pub}${more}}}}\n`);
  const env = { ...namespace.env, SLIPWAY_CONFIG: configuration };
  const { registry, repository, digest } = parseReference(image);
  const client = await openByName(registry, env);
  onTestFinished(() => client.close());
  const signed = { mediaType: mediaTypes.manifest, digest: digest as never, size: 1 };
  if (signedBy !== "nobody") {
    await signImage(client, repository, signed, await readSigningKey(join(folder, `${signedBy}.key`), {}));
  }
  const moveTag = async () => {
    const stored = await client.getManifest(repository, parseReference(hostile).digest ?? "");
    if (!stored) throw new Error("the image is gone");
    await client.putManifest(repository, "v1", stored.bytes, mediaTypes.manifest);
  };
  return { namespace, env, image, hostile, tagged: `${registry}/${repository}:v1`, moveTag };
}

type Restricted = Awaited<ReturnType<typeof restricted>>;

const forbidden = [
  ["unsigned", "signature-missing", () => restricted("nobody")],
  ["signed with another key", "signature-invalid", () => restricted("wrong")],
  [
    "without its attestation",
    "signature-missing",
    () => restricted("right", ", attestations: [{type: slsaprovenance1}]"),
  ],
] as const;

const script = { ...start, programArguments: ["sh", "-c", "echo ran >&2"] };

/** Runs a function on podman or docker. @returns what it printed */
async function inContainer({ env }: Restricted, image: string): Promise<string> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const group = await new ContainerWorkers(installedClient(), env, undefined).open({ ...script, image });
  let printed = "";
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<unknown>();
  const onOutput = (data: Buffer) => {
    printed += data;
  };
  group.start({ onStart: () => {}, onConnect: () => {}, onData: () => {}, onOutput, onEnd });
  await ended;
  await group.close();
  return printed;
}

/** Whether the engine has an image. */
function has(image: string): boolean {
  const { path } = installedClient();
  onTestFinished(() => void spawnSync(path, ["rmi", "--force", image]));
  return spawnSync(path, ["image", "inspect", image]).status === 0;
}

describe.each(forbidden)("an image that is %s", (_, code, make) => {
  it("runs in no container of this machine", async () => {
    const user = await make();
    await expect(inContainer(user, user.image)).rejects.toMatchObject({ code });
    expect(has(user.image)).toBe(false);
  });

  it("runs in no pod", async () => {
    const { env, image, namespace } = await make();
    const opened = new PodWorkers(env).open({ ...script, image }, () => {});
    await expect(opened).rejects.toMatchObject({ code });
    expect((await namespace.objects()).filter(({ kind }) => /^(Job|Pod|Secret)$/.test(kind))).toEqual([]);
  });
});

describe("an image with the signature", () => {
  it("runs in a container, though its tag has moved since", async () => {
    const user = await restricted("right");
    expect(await inContainer(user, user.tagged)).toContain("ran");
    await user.moveTag();
    expect(has(user.image)).toBe(true);
    expect(await inContainer(user, user.tagged)).toContain("ran");
    expect(has(user.hostile)).toBe(false);
  });

  it("runs in a pod, though its tag has moved since", { timeout: 120_000 }, async () => {
    const { env, namespace, image, tagged, moveTag } = await restricted("right");
    const allowed = await runnableImage(tagged, env);
    await moveTag();
    const user = ShellUser.of(namespace, image);
    const engine = user.engine(env);
    const id = await engine.submit(user.program("echo ran", { image: allowed }));
    expect(await textOf(engine, id)).toBe("ran\n");
    expect((await engine.collect(id)).status).toMatchObject({ state: "succeeded", image });
    await engine.remove(id);
  });
});
