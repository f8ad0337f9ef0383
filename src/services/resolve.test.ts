import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { Home } from "../credentials/testdata/home.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { parseReference } from "../oci/reference.ts";
import { openRegistry } from "../registry/client/open.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { openByName } from "../registry/open-by-name.ts";
import { serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { signPushed } from "../signatures/rules.ts";
import { resolveService } from "./resolve.ts";
import { serviceOf } from "./testdata/service.ts";

/** A registry in which tags name indexes, whose content is theirs alone. */
async function registryWith(...tags: readonly string[]) {
  const { env, paths } = await stateOfTest();
  const { host } = await serverOfTest({ paths });
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  const config = Buffer.from('{"architecture":"arm64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const descriptor = { digest: sha256(config), size: config.length };
  await client.pushBlob({ repository: "team/web", descriptor, open: () => Readable.from([config]) });
  const digests: string[] = [];
  for (const tag of tags) {
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: { mediaType: mediaTypes.config, ...descriptor },
        layers: [],
        annotations: { tag },
      }),
    );
    digests.push(await client.putManifest("team/web", tag, manifest, mediaTypes.manifest));
  }
  client.close();
  return { env, image: `${host}/team/web`, digests };
}

it("finds the digest that a tag has now, whatever platform it is for", async () => {
  const { env, image, digests } = await registryWith("latest", "2");
  const resolved = async (name: string) => (await resolveService(serviceOf({ image: name, port: 80 }), env)).image;
  expect(await resolved(image)).toBe(`${image}@${digests[0]}`);
  expect(await resolved(`${image}:2`)).toBe(`${image}@${digests[1]}`);
  const other = `registry.example.com/a@sha256:${"0".repeat(64)}`;
  expect(await resolved(other), "asks nobody about a digest").toBe(other);
});

it("refuses an image without the signature that the configuration file requires, by tag and by digest", async () => {
  const { env, image, digests } = await registryWith("latest");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const path = join(temporaryFolder(), "config.yaml");
  writeFileSync(
    path,
    `images: {${image}: {require: {signature: {key: "env://PUBLIC"}}, sign: {key: "env://PRIVATE"}}}`,
  );
  const pem = { format: "pem" } as const;
  const more = {
    ...env,
    SLIPWAY_CONFIG: path,
    PUBLIC: publicKey.export({ ...pem, type: "spki" }) as string,
    PRIVATE: privateKey.export({ ...pem, type: "pkcs8" }) as string,
  };
  const exact = `${image}@${digests[0]}`;
  const resolve = (name: string) => resolveService(serviceOf({ image: name, port: 80 }), more);
  for (const name of [image, exact]) {
    await expect(resolve(name)).rejects.toThrow(failureWith("signature-missing", exact));
    await expect(resolve(name)).rejects.toThrow(/env:\/\/PUBLIC/);
  }
  const { registry, repository } = parseReference(image);
  const client = await openByName(registry, more);
  const descriptor = await client.headManifest(repository, "latest");
  await signPushed(client, { registry, repository }, descriptor ? [descriptor] : [], more);
  client.close();
  for (const name of [image, exact]) expect((await resolve(name)).image).toBe(exact);
});

it("names the tags that there are", async () => {
  const { env, image } = await registryWith("stable");
  const refused = expect(resolveService(serviceOf({ image: `${image}:stabel`, port: 80 }), env)).rejects;
  await refused.toThrow(userErrorWith("image-not-found", `${image}:stabel`));
  await refused.toThrow("(did you mean the tag stable?)");
});

it("names the credential of containerRegistry that the registry refuses", async () => {
  await using registry = await FakeRegistry.start();
  registry.intervene = (_, response) => {
    response.writeHead(401, { "www-authenticate": "Basic realm=x" }).end();
    return true;
  };
  const home = new Home();
  const source = { kind: "stored", username: "ci", password: "hunter2" } as const;
  home.store({ service: "docker", name: "team", url: registry.host, source });
  const service = { ...serviceOf({ image: `${registry.host}/team/web:1`, port: 80 }), containerRegistry: "team" };
  const error = await resolveService(service, home.env).catch((caught: unknown) => caught);
  expect(error).toEqual(userErrorWith("registry-login", registry.host));
  expect(String(error)).toMatch(/asked with the credential from .*team.*\n.*`slipway credentials add`/);
  expect(String(error)).not.toMatch(/hunter2|anonymously/);
});
