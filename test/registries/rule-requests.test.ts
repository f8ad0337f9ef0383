import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { fetchManifest } from "../../src/registry/client/fetch-manifest.ts";
import { hintsIn } from "../../src/registry/client/hints.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { pushImages } from "../../src/registry/client/push.ts";
import { imageOf } from "../../src/registry/client/testdata/images.ts";
import { serverOfTest } from "../../src/registry-server/testdata/fixture.ts";
import { readSigningKey } from "../../src/signatures/keys.ts";
import { runnableImage } from "../../src/signatures/runnable-image.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { startDockerRegistry } from "./testdata/docker-registry.ts";
import { proxyTo } from "./testdata/proxy.ts";

const repository = "team/app";

/** Registries behind a proxy that counts requests, and clients of a user who remembers what they can do. */
const registries = {
  "docker-registry": async () => {
    const { host, requests } = await proxyTo(await startDockerRegistry({ auth: "none" }));
    const hints = hintsIn({ XDG_STATE_HOME: temporaryFolder() });
    return { host, requests, open: () => openRegistry(host, { hints }) };
  },
  "the embedded registry": async () => {
    const { host, paths } = await serverOfTest();
    const socketPath = join(temporaryFolder(), "s");
    const { requests } = await proxyTo(paths.socket, socketPath);
    return { host, requests, open: () => openRegistry(host, { embedded: { socketPath } }) };
  },
};

it.each(Object.entries(registries))("a rule takes two requests, once per image, of %s", async (_, start) => {
  const { host, requests, open } = await start();
  const folder = temporaryFolder();
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(join(folder, "my.key"), privateKey.export({ format: "pem", type: "pkcs8" }));
  writeFileSync(join(folder, "my.pub"), publicKey.export({ format: "pem", type: "spki" }));
  const rule = `images: {${host}/team: {require: {signature: {key: my.pub}}}, other.example: {}}`;
  const env = { SLIPWAY_CONFIG: join(folder, "config.yaml") };
  writeFileSync(env.SLIPWAY_CONFIG, rule);
  const client = open();
  onTestFinished(() => client.close());
  const sent = async (image: string) => {
    requests.length = 0;
    expect(await runnableImage(image, env, async () => open())).toBe(image);
    return requests.length;
  };
  for (const tag of ["v1", "v2"]) {
    await pushImages([imageOf(client, { repository, tags: [tag], layers: [tag] })], { check: "tags" });
    const { descriptor } = await fetchManifest(client, repository, tag);
    await signImage(client, repository, descriptor, await readSigningKey(join(folder, "my.key"), {}));
    expect(await sent(`${host}/${repository}@${descriptor.digest}`)).toBe(2);
    expect(await sent(`${host}/${repository}@${descriptor.digest}`)).toBe(0);
    expect(await sent(`${host}/other/app@${descriptor.digest}`)).toBe(0);
  }
});
