import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { parseReference } from "../oci/reference.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { openRegistry } from "../registry/client/open.ts";
import { pushImage, serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { readSigningKey } from "../signatures/keys.ts";
import { signImage } from "../signatures/sign.ts";
import { environmentImage } from "./image.ts";
import { type EnvironmentSource, environmentKey } from "./model.ts";

const source: EnvironmentSource = {
  kind: "PipRequirements",
  path: "requirements.txt",
  content: "0",
  files: [],
} as never;

/** A colleague has overwritten the tag of an environment. A build here fails, because the base is not there. */
async function overwritten() {
  const { env, paths } = await stateOfTest();
  const { ask, host } = await serverOfTest({ paths });
  const folder = temporaryFolder();
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(join(folder, "env.key"), privateKey.export({ format: "pem", type: "pkcs8" }));
  writeFileSync(join(folder, "env.pub"), publicKey.export({ format: "pem", type: "spki" }));
  const base = `${host}/team/python@sha256:${"0".repeat(64)}` as RunnableImage;
  const key = environmentKey(source, { base: base.split("@")[1] ?? "", platform: "linux/amd64", python: "" });
  const theirs = await pushImage(ask, "slipway/environments", key, ["their code"]);
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  const make = (rules: string) => {
    const configuration = join(folder, "config.yaml");
    writeFileSync(
      configuration,
      rules.replaceAll("HOST", host).replaceAll("RULE", "{require: {signature: {key: env.pub}}}"),
    );
    const embedded = async () => ({ socketPath: paths.socket, host });
    const own = { ...env, SLIPWAY_CONFIG: configuration };
    return environmentImage(source, { base, platform: "linux/amd64", env: own, embedded: embedded as never });
  };
  const sign = async () => {
    const image = { mediaType: mediaTypes.manifest, digest: theirs as never, size: 1 };
    await signImage(client, "slipway/environments", image, await readSigningKey(join(folder, "env.key"), {}));
  };
  return { theirs, make, sign };
}

it("an environment that a colleague made is taken where no rule says otherwise", async () => {
  const { theirs, make } = await overwritten();
  expect(parseReference(await make("{}")).digest).toBe(theirs);
});

it.each([
  ["it", "images: {HOST/slipway/environments: RULE}"],
  ["its base", "images: {HOST/team: RULE}"],
  ["everything", 'images: {"*": RULE}'],
])("an environment that a colleague made is built anew where %s must be signed", async (_, rules) => {
  await expect((await overwritten()).make(rules)).rejects.toThrow(userErrorWith("image-not-found"));
});

it("an environment with the signature that is required of it is taken", async () => {
  const { theirs, make, sign } = await overwritten();
  await sign();
  expect(parseReference(await make("images: {HOST/slipway/environments: RULE}")).digest).toBe(theirs);
});
