import { globSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sha256 } from "../../src/oci/digest.ts";
import { ChainUser } from "./chain-user.ts";
import { Registry } from "./registry.ts";
import { fetchedBytes, scratchFolder } from "./workspace.ts";

/** A registry, and how its user and the tools of others come to it. */
export interface ChainRegistry {
  /** `localhost:PORT` */
  readonly host: string;
  /** What nothing may show. */
  readonly secrets: readonly string[];
  /** What the user sets for our tools. */
  readonly env: Readonly<Record<string, string>>;
  /** A folder with the certificate of its authority, as podman has them. Default: plain HTTP. */
  readonly certificates?: string;
  /** A file in which podman and skopeo find a login to a repository. */
  readonly login: (repository: string, action: "pull" | "push") => string | Promise<string>;
}

/** What the build of this repository made: a Debian that Node runs on, as an OCI layout. */
const [layout = ""] = globSync("*slim_base*/image/image.layout", { cwd: process.env["TEST_SRCDIR"] ?? "" });

const program = `
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { containerImage, inImage, main } from "slipway";

const look = inImage("look", (all: boolean) => ({
  system: /PRETTY_NAME="(.*)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "",
  host: hostname(),
  user: process.getuid?.() ?? -1,
  environment: all ? { ...process.env } : {},
}));

await main(async () => {
  console.log(JSON.stringify({ image: containerImage(), ...(await look(process.argv.includes("--environment"))) }));
});
`;

/** What the program prints. */
interface Seen {
  readonly image: string;
  readonly system: string;
  readonly host: string;
  readonly user: number;
  readonly environment: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/**
 * The same for every registry: a base that is in it is pulled without its layers, built on, pushed by the launcher,
 * run by the launch script and
 * in its container, and pulled back by two other clients. Then all that this left behind is searched for the secrets.
 *
 * @param registries by name: starts each, empty
 */
export function chain(registries: Readonly<Record<string, (user: ChainUser) => Promise<ChainRegistry>>>): void {
  const user = new ChainUser();
  const embedded = new Registry(user.workspace);
  user.workspace.write({
    "chain/app/BUILD.bazel": `load("@slipway//bazel:defs.bzl", "pipeline")\npipeline(name = "main", base = "@base//image")\n`,
    "chain/app/main.ts": program,
  });
  afterAll(async () => {
    await embedded.stop();
    await user.leave();
  });

  describe.each(Object.entries(registries))("%s", (_, start) => {
    it("takes a base, is built on, pushed to, run from, and pulled back from by skopeo and podman", async () => {
      const registry = await start(user);
      for (const secret of registry.secrets) user.watch.protect(secret);
      const base = await pushBase(user, registry);

      user.declareBase(`${registry.host}/chain/base:12`, base.digest);
      await user.bazel(["build", "//chain/app:main"], registry.env);
      expect(fetchedBytes(user.workspace)).toBeLessThan(50_000);

      const pushed = await user.bazel(["run", "//chain/app:main_push"], registry.env);
      const [reference = "", digest = ""] = /^\S+\/chain\/app@(sha256:[0-9a-f]{64})$/m.exec(pushed.stdout) ?? [];
      expect(reference).toBe(`${registry.host}/chain/app@${digest}`);
      expect(pushed.stderr).toMatch(/1 mounted|there already/);
      expect(pushed.stderr).not.toContain("streamed");

      const launched = await launch(user, registry, "process");
      expect(launched.image).toBe(reference);
      const contained = await launch(user, registry, "container");
      expect(contained).toMatchObject({ image: reference, user: 1000 });
      expect(contained.system).toMatch(/^Debian GNU\/Linux 12 /);
      expect(contained.host).not.toBe(launched.host);
      const declared = ["SLIPWAY_CONTAINER_IMAGE_URIS", "PATH", "HOME"];
      expect(Object.keys(contained.environment)).toEqual(expect.arrayContaining(declared));
      expect(Object.keys(contained.environment)).not.toContain("DOCKER_CONFIG");

      const manifest = await pullBySkopeo(user, registry, digest);
      expect(manifest.layers.map((layer) => layer.digest)).toEqual(expect.arrayContaining([...base.layers]));
      expect(await pullByPodman(user, registry)).toEqual([digest, manifest.config.digest]);
    });
  });

  describe("the secrets of all this", () => {
    it("are in the files of the user, and in no output, log, command line, cache, image or output of Bazel", async () => {
      expect(user.watch.commandLines).toBeGreaterThan(20);
      const files = user.watch.files();
      const { workspace, outputs, state, caches, podman } = user.places;
      for (const place of [workspace, outputs, state, caches, podman]) {
        expect(files.filter((file) => file.startsWith(place)).length, place).toBeGreaterThan(1);
      }
      const found = user.watch.findings([]).map((finding) => finding.replace(/^.* in /, ""));
      // So that it is seen to be found where it is.
      expect(found.toSorted()).toEqual([...new Set(user.ownFiles)].toSorted());
    });

    it("would have been found there", async () => {
      const planted = `gepflanzt-${crypto.randomUUID()}`;
      const watch = user.newWatch([planted]);
      user.workspace.write({ "planted/BUILD.bazel": plantedBuild(planted), "planted/secret.txt": planted });
      await user.bazel(["run", "//planted:push"]);
      await user.bazel(["run", "//planted:image"], { SLIPWAY_ENGINE: "container" });
      const found = watch.findings([]).map((finding) => finding.replace(`${planted} in `, ""));
      const where = (place: keyof typeof user.places, end: string) =>
        found.filter((path) => path.startsWith(user.places[place]) && path.endsWith(end));
      expect(where("workspace", "planted/secret.txt")).toHaveLength(1);
      expect(where("outputs", "planted/layer.tar.gz, unpacked")).toHaveLength(1);
      expect(where("outputs", "planted/image_manifest.config.json")).toHaveLength(1);
      for (const place of ["state", "caches"] as const) {
        // The layer, and the configuration.
        expect(where(place, ", unpacked")).toHaveLength(1);
        expect(where(place, "")).toHaveLength(2);
      }
      expect(where("podman", "/secret.txt")).toHaveLength(1);
      expect(where("podman", "").length).toBeGreaterThan(1);
    });
  });
}

/** An image that shows a secret in its layer and in its configuration. */
function plantedBuild(secret: string): string {
  return `
load("@slipway//bazel:defs.bzl", "image", "image_layer", "image_push")
image_layer(name = "layer", files = {"/secret.txt": "secret.txt"})
image(name = "image", env = {"PLANTED": ${JSON.stringify(secret)}}, layers = [":layer"])
image_push(name = "push", images = [":image"], repository = "planted")
`;
}

/** Puts the base into the registry, by skopeo. */
async function pushBase(
  user: ChainUser,
  registry: ChainRegistry,
): Promise<{ readonly digest: string; readonly layers: readonly string[] }> {
  const folder = join(process.env["TEST_SRCDIR"] ?? "", layout);
  const { host, certificates } = registry;
  const reach = certificates ? `--dest-cert-dir=${certificates}` : "--dest-tls-verify=false";
  const login = `--dest-authfile=${await registry.login("chain/base", "push")}`;
  const place = `docker://${host}/chain/base:12`;
  await user.run("skopeo", ["--insecure-policy", "copy", "--quiet", reach, login, `oci:${folder}`, place]);
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  const digest = index.manifests[0].digest as string;
  const manifest = JSON.parse(readFileSync(join(folder, "blobs", digest.replace(":", "/")), "utf8")) as Manifest;
  return { digest, layers: manifest.layers.map((layer) => layer.digest) };
}

async function launch(user: ChainUser, registry: ChainRegistry, engine: "process" | "container"): Promise<Seen> {
  // In a process the program has all that its user has, as with any `bazel run`.
  const args = engine === "container" ? ["--", "--environment"] : [];
  const env = { ...registry.env, SLIPWAY_ENGINE: engine };
  return JSON.parse((await user.bazel(["run", "//chain/app:main", ...args], env)).stdout) as Seen;
}

/** Throws unless the tag is what was pushed, and every part of it what its digest says. */
async function pullBySkopeo(user: ChainUser, registry: ChainRegistry, digest: string): Promise<Manifest> {
  const folder = mkdtempSync(join(scratchFolder(), "pulled-"));
  const { host, certificates } = registry;
  const reach = certificates ? `--src-cert-dir=${certificates}` : "--src-tls-verify=false";
  const login = `--src-authfile=${await registry.login("chain/app", "pull")}`;
  const image = `docker://${host}/chain/app:main_default`;
  await user.run("skopeo", ["--insecure-policy", "copy", "--quiet", reach, login, image, `dir:${folder}`]);
  const bytes = readFileSync(join(folder, "manifest.json"));
  expect(sha256(bytes)).toBe(digest);
  const manifest = JSON.parse(bytes.toString()) as Manifest;
  for (const part of [manifest.config, ...manifest.layers]) {
    expect(sha256(readFileSync(join(folder, part.digest.replace("sha256:", ""))))).toBe(part.digest);
  }
  return manifest;
}

/** Digests of the manifest and the configuration that the tag leads podman to. */
async function pullByPodman(user: ChainUser, registry: ChainRegistry): Promise<string[]> {
  // What it got to run the container is no longer there.
  await user.run("podman", ["rmi", "--all", "--force"]);
  const { host, certificates } = registry;
  const reach = certificates ? `--cert-dir=${certificates}` : "--tls-verify=false";
  const login = `--authfile=${await registry.login("chain/app", "pull")}`;
  const id = (await user.run("podman", ["pull", "--quiet", reach, login, `${host}/chain/app:main_default`])).trim();
  const inspected = await user.run("podman", ["image", "inspect", "--format", "{{.Digest}} sha256:{{.Id}}", id]);
  return inspected.trim().split(" ");
}
