import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import { type Digest, sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { readSigningKey } from "../../src/signatures/keys.ts";
import { signImage } from "../../src/signatures/sign.ts";
import { joinCluster } from "./cluster.ts";
import { Machine } from "./machine.ts";

const examples = join(import.meta.dirname, "../../examples/jobs");
const environments = "slipway/environments";

/** A user whose job has run once, in the environment that now lies in the registry, and a colleague who may push there. */
async function afterFirstRun(engine: string) {
  const machine = new Machine();
  if (engine === "kubernetes") joinCluster(machine);
  const job = "pip-requirements.yaml";
  machine.write({
    "code/requirements.txt": readFileSync(join(examples, "code/requirements.txt"), "utf8"),
    [job]: readFileSync(join(examples, job), "utf8"),
  });
  for (const name of ["wrong", "right"]) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    machine.write({
      [`${name}.key`]: privateKey.export({ format: "pem", type: "pkcs8" }) as string,
      [`${name}.pub`]: publicKey.export({ format: "pem", type: "spki" }) as string,
    });
  }
  const pushed = await machine.run("test/jobs/python_push", []);
  const [host = "", base = ""] = pushed.out.split("@", 1)[0]?.split(/\/(.*)/) ?? [];
  machine.env["SLIPWAY_ENVIRONMENT_BASE"] = `${host}/${base}:3.11`;
  const client = openRegistry(host, { embedded: { socketPath: machine.registry.socket } });
  onTestFinished(() => client.close());
  const run = () => machine.slipway(["job", "run", "--engine", engine, job]);
  expect(await run()).toMatchObject({ out: "1.16.0\n", status: 0 });
  const { out } = await machine.slipway(["registry", "ls"]);
  const [, tag = ""] = new RegExp(`^${environments}:(\\S+)`, "m").exec(out) ?? [];
  const read = async (repository: string, reference: string) => {
    const found = await client.getManifest(repository, reference);
    if (!found) throw new Error(`no ${repository}:${reference}`);
    return { manifest: JSON.parse(`${found.bytes}`), digest: found.descriptor.digest };
  };
  const sign = async (repository: string, digest: Digest, by: string) => {
    const key = await readSigningKey(join(machine.home, `${by}.key`), {});
    await signImage(client, repository, { mediaType: mediaTypes.manifest, digest, size: 1 }, key);
  };
  await sign(base, (await read(base, "3.11")).digest, "right");
  const made = await read(environments, tag);
  /** Gives the environment's tag to an image that prints what it was to run. */
  const replace = async (by?: string) => {
    const config = JSON.parse(`${await client.readBlob(environments, made.manifest.config, "config")}`);
    const bytes = Buffer.from(
      JSON.stringify({ ...config, config: { ...config.config, Entrypoint: ["echo", "theirs"] } }),
    );
    const descriptor = { digest: sha256(bytes), size: bytes.length };
    const open = (start: number, end: number) => Readable.from([bytes.subarray(start, end)]);
    await client.pushBlob({ repository: environments, descriptor, open });
    // One of each case, or the signature of the case before would count.
    const annotations = { by: by ?? "nobody" };
    const manifest = Buffer.from(
      JSON.stringify({ ...made.manifest, annotations, config: { ...made.manifest.config, ...descriptor } }),
    );
    await client.putManifest(environments, tag, manifest, mediaTypes.manifest);
    if (by !== undefined) await sign(environments, sha256(manifest), by);
  };
  const rule = (require: object) => {
    const file = join(machine.home, "xdg-CONFIG/slipway/config.yaml");
    const before = engine === "kubernetes" ? JSON.parse(readFileSync(file, "utf8")) : {};
    machine.write({
      "rules.yaml": JSON.stringify({
        ...before,
        images: { [`${host}/${base}`]: signed, [`${host}/${environments}`]: { require } },
      }),
    });
    machine.env["SLIPWAY_CONFIG"] = join(machine.home, "rules.yaml");
  };
  const signature = { key: join(machine.home, "right.pub") };
  const signed = { require: { signature } };
  return { run, replace, rule, signature };
}

it.each(["container", "kubernetes"])(
  "on %s, an environment that a colleague replaced runs only with what the rules require",
  { timeout: 600_000 },
  async (engine) => {
    const { run, replace, rule, signature } = await afterFirstRun(engine);
    await replace();
    // Nothing says who makes environments.
    expect((await run()).out).toContain("theirs");
    rule({ signature });
    for (const by of [undefined, "wrong"]) {
      await replace(by);
      expect({ by, ...(await run()) }).toMatchObject({ out: "1.16.0\n", status: 0 });
    }
    rule({ signature, attestations: [{ type: "slsaprovenance1" }] });
    await replace("right");
    expect(await run()).toMatchObject({ out: "1.16.0\n", status: 0 });
    rule({ signature });
    await replace("right");
    expect((await run()).out).toContain("theirs");
  },
);
