import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Digest } from "../../src/oci/digest.ts";
import { parseImageManifest } from "../../src/oci/manifest.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { ofApi, Registry } from "./registry.ts";
import { moduleOf, scratchFolder, Workspace } from "./workspace.ts";

const folder = join(scratchFolder(), "pushes");
const workspace = new Workspace("pushes", folder);
const registry = new Registry(workspace);

const build = `
load("@slipway//bazel:defs.bzl", "image", "image_layer", "image_push", "image_push_all")

image_layer(name = "files", files = {"/etc/text": "text"})
image(
    name = "one",
    annotations = "annotations",
    labels = {
        "org.opencontainers.image.created": "{BUILD_TIMESTAMP}",
        "org.opencontainers.image.revision": "{STABLE_GIT_COMMIT}",
        "org.opencontainers.image.title": "one",
    },
    layers = [":files"],
    visibility = ["//visibility:public"],
)
image(name = "two", base = ":one", env = {"NUMBER": "2"})
image_push(name = "one_push", images = [":one"], remote_tags = ["latest", "{STABLE_GIT_COMMIT}"], repository = "team/one")
image_push(name = "two_push", images = [":two"], remote_tags = "tags", repository = "team/two")
image_push_all(name = "push_all", pushes = ["one_push", "two_push", "//app:main_push"])
`;

const app = `
load("@slipway//bazel:defs.bzl", "pipeline")
pipeline(
    name = "main",
    base = "//:one",
    labels = {"by": "{STABLE_GIT_COMMIT}"},
    remote_tags = ["v1"],
    visibility = ["//visibility:public"],
)
`;

/** A commit, as the workspace's status command tells it. */
function commit(name: string, tree = "clean"): void {
  workspace.write({
    status: `#!/bin/sh\necho STABLE_GIT_COMMIT ${name}\necho STABLE_GIT_TREE ${tree}\necho STABLE_GIT_URL https://git.example.com/a\n`,
  });
}

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  workspace.write({
    "MODULE.bazel": moduleOf("pushes"),
    ".bazelrc": "build --workspace_status_command='sh status'\n",
    "BUILD.bazel": build,
    "app/BUILD.bazel": app,
    "app/main.ts": 'console.log("one", process.env.SLIPWAY_CONTAINER_IMAGE_URIS);\n',
    annotations: "# What registries show\ncom.example.team=ships\ncom.example.commit={STABLE_GIT_COMMIT}\n",
    tags: "stable\n",
    text: "text\n",
  });
  commit("c0ffee");
});
afterAll(() => registry.stop());

const digestsIn = (stdout: string) =>
  [...stdout.matchAll(/@(sha256:[0-9a-f]{64})$/gm)].map(([, digest]) => digest as Digest);
const pushed = async (...flags: string[]) =>
  digestsIn(await workspace.stdout(["run", ...flags, "//:one_push", "--", "--tag=any"]))[0];
const open = async () =>
  openRegistry((await registry.status()).host, { embedded: { socketPath: registry.paths.socket } });

/** The manifest and the labels of an image. */
async function read(repository: string, digest: Digest) {
  const client = await open();
  const stored = await client.getManifest(repository, digest);
  const manifest = parseImageManifest(stored?.bytes ?? Buffer.alloc(0));
  const config = JSON.parse((await client.readBlob(repository, manifest.config, "configuration")).toString());
  client.close();
  return { layers: manifest.layers, annotations: manifest.annotations, labels: config.config.Labels };
}

/** The documents of a type that are attached to the images of `push_all`. */
async function attached(digests: readonly Digest[], artifactType: string) {
  const client = await open();
  const documents = [];
  for (const [index, digest] of digests.entries()) {
    const repository = ["team/one", "team/two", "app"][index] as string;
    const found = (await client.referrers(repository, digest)).find((each) => each.artifactType === artifactType);
    const stored = await client.getManifest(repository, found?.digest ?? "");
    const { layers } = parseImageManifest(stored?.bytes ?? Buffer.alloc(0));
    documents.push(JSON.parse(await text(client.getBlob(repository, layers[0] as never))));
  }
  client.close();
  return documents;
}

describe("push_all", () => {
  it("without --stamp names the tag with a variable, and pushes nothing", async () => {
    const { status, stdout, stderr } = await workspace.bazel(["run", "//:push_all"]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      /"\{STABLE_GIT_COMMIT\}" of \/\/:one_push .*\n.*bazel run --stamp \/\/:push_all\. \[target-invalid\]/,
    );
  });

  it("pushes every image with its own tags, in one line each, and asks once per tag when nothing changed", async () => {
    const stdout = await workspace.stdout(["run", "--stamp", "//:push_all"]);
    const digests = digestsIn(stdout);
    expect(stdout.replaceAll(/localhost:\d+|sha256:\w+/g, "")).toBe("/team/one@\n/team/two@\n/app@\n");
    const tags = [
      ["team/one", "latest"],
      ["team/one", "c0ffee"],
      ["team/two", "stable"],
      ["app", "v1"],
    ] as const;
    const found = await Promise.all(tags.map(([repository, tag]) => registry.tag(repository, tag)));
    expect(found).toEqual([digests[0], digests[0], digests[1], digests[2]]);

    const requests = await registry.requestsDuring(() => workspace.stdout(["run", "--stamp", "//:push_all"]));
    expect(ofApi(requests).sort()).toEqual(
      tags.map(([repository, tag]) => `HEAD /v2/${repository}/manifests/${tag}`).sort(),
    );
  });

  it("has attached to each image what is in it", async () => {
    const digests = digestsIn(await workspace.stdout(["run", "--stamp", "//:push_all"]));
    const documents = await attached(digests, "application/spdx+json");
    expect(documents.map(({ name }) => name)).toEqual(["//:one", "//:two", "//app:main_default_image"]);
    const found = documents.map(({ packages }) =>
      packages
        .filter(({ SPDXID }: { SPDXID: string }) => SPDXID.startsWith("SPDXRef-Package-"))
        .map(({ name }: { name: string }) => name),
    );
    expect(found).toEqual([[], [], ["node"]]);
  });

  it("attaches the SBOM in another format, or none, by a setting", async () => {
    const format = "--@slipway//bazel/settings:sbom";
    const cyclonedx = await workspace.stdout(["run", "--stamp", `${format}=cyclonedx`, "//:push_all"]);
    const [document] = await attached(digestsIn(cyclonedx).slice(0, 1), "application/vnd.cyclonedx+json");
    expect(document).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
    const none = digestsIn(await workspace.stdout(["run", `${format}=none`, "//app:main_push", "--", "--tag=none"]));
    const client = await open();
    expect(await client.referrers("app", none[0] as Digest)).toEqual([]);
    client.close();
  });

  it("has attached to each image how it was built", async () => {
    const digests = digestsIn(await workspace.stdout(["run", "--stamp", "//:push_all"]));
    const statements = await attached(digests, "application/vnd.in-toto+json");
    const dependencies = statements.map(({ predicate }) => predicate.buildDefinition.resolvedDependencies);
    const source = {
      name: "source",
      uri: "git+https://git.example.com/a@c0ffee",
      digest: { gitCommit: "c0ffee" },
      annotations: { clean: true },
    };
    const base = { name: "//:one", digest: { sha256: digests[0]?.slice("sha256:".length) } };
    expect(dependencies).toEqual([[source], [source, base], [source, base]]);
    expect(statements.map(({ subject: [subject] }) => subject.name)).toEqual([
      "//:one",
      "//:two",
      "//app:main_default_image",
    ]);
  });
});

describe("stamping", () => {
  it("changes labels and annotations, and neither a layer nor an unstamped digest", async () => {
    const [plain, stamped] = [await pushed(), await pushed("--stamp")];
    commit("bada55", "changed");
    expect(await pushed()).toBe(plain);
    const next = await pushed("--stamp");
    expect(new Set([plain, stamped, next]).size).toBe(3);

    const images = await Promise.all([plain, stamped, next].map((digest) => read("team/one", digest as Digest)));
    expect(new Set(images.map(({ layers }) => JSON.stringify(layers))).size).toBe(1);
    const [title, revision, created] = ["title", "revision", "created"].map(
      (name) => `org.opencontainers.image.${name}`,
    );
    expect(images[0]?.labels).toEqual({ [title as string]: "one" });
    expect(images[0]?.annotations).toEqual({ "com.example.team": "ships" });
    expect(images[2]?.annotations).toMatchObject({ "com.example.commit": "bada55" });
    expect(images[2]?.labels).toEqual({
      [title as string]: "one",
      [revision as string]: "bada55",
      [created as string]: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
  });
});

describe("a run", () => {
  it("leaves the tags of a push where they are", async () => {
    const before = await registry.tag("app", "v1");
    workspace.write({ "app/main.ts": 'console.log("two", process.env.SLIPWAY_CONTAINER_IMAGE_URIS);\n' });
    const stdout = await workspace.stdout(["run", "//app:main"]);
    expect(stdout).toMatch(/^two default##/);
    expect(stdout).not.toContain(before);
    expect(await registry.tag("app", "v1")).toBe(before);
    await registry.verifyNamed("app", stdout);
  });
});
