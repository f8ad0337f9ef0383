import { randomBytes } from "node:crypto";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { executable } from "../core/testdata/executable.ts";
import { printed } from "../core/testdata/reported.ts";
import { sha256 } from "../oci/digest.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { ended, Target } from "./testdata/target.ts";

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});
afterEach(() => registry.stop());

const showImages = '#!/bin/sh\necho "$SLIPWAY_CONTAINER_IMAGE_URIS"\n';

/** A pipeline with two images that share a layer. */
function pipeline(mode: "launch" | "binary" = "launch"): { target: Target; uris: string } {
  const target = new Target(mode, showImages);
  target.request.defaultRegistry = registry.host;
  const one = target.image({ layers: ["shared", "one"] });
  const two = target.image({ tag: "slim", layers: ["shared", "two"] });
  const uri = (tag: string, digest: string) => `${tag}##${registry.host}/team/app@${digest}`;
  return { target, uris: `${uri("default", one)}::${uri("slim", two)}\n` };
}

/** A pipeline with an image whose base is in another registry, or another repository. */
function onBase(source: FakeRegistry, layers: Parameters<Target["image"]>[0]["layers"]): Target {
  const target = new Target("launch");
  target.image({ layers, registry: registry.host, sources: [{ registry: source.host, repository: "base" }] });
  return target;
}

describe("launch", () => {
  it("pushes every image, says so on stderr, and tells the program their addresses", async () => {
    const { target, uris } = pipeline();
    const { stdout, stderr, status } = await target.run();
    expect({ stdout, status }).toEqual({ stdout: uris, status: 0 });
    expect(stderr.split("\n").filter((line) => line.startsWith("pushed ")).length).toBe(2);
    expect([...registry.manifests.keys()].filter((key) => !key.includes(" sha256:"))).toEqual([]);
    expect(registry.manifests.size).toBe(2);
    // Two configurations, two own layers, and the shared one once.
    expect(registry.log.filter((each) => /^PUT .*blobs/.test(each)).length).toBe(5);
  });

  it("makes one request per image when nothing changed, and says nothing", async () => {
    const { target, uris } = pipeline();
    await target.run();
    registry.seen.length = 0;
    expect(await target.run()).toEqual({ status: 0, stdout: uris, stderr: "" });
    expect(registry.log.map((each) => each.replace(/sha256:.*/, ""))).toEqual([
      "HEAD /v2/team/app/manifests/",
      "HEAD /v2/team/app/manifests/",
    ]);
  });

  it("pushes and runs nothing for an engine that does not exist", async () => {
    const { status, stdout, stderr } = await pipeline().target.run([], { SLIPWAY_ENGINE: "kubernets" });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: "",
      stderr: printed("variable-invalid", "SLIPWAY_ENGINE=kubernets is not an engine (did you mean kubernetes?)"),
    });
    expect(registry.log).toEqual([]);
  });

  it.each([
    ["image", {}, true],
    ["image", { SLIPWAY_RUN_IN: "host" }, false],
    ["host", { SLIPWAY_RUN_IN: "image" }, true],
    ["host", { SLIPWAY_RUN_IN: "" }, false],
  ] as const)("runs the program where its target (%s) or %j says", async (runIn, env, isInImage) => {
    const { target, uris } = pipeline();
    target.request.engineHelper = target.file("_main/helper", '#!/bin/sh\nprintf "%s\\n" helper "$@"\n');
    chmodSync(join(target.runfiles, target.request.engineHelper), 0o755);
    Object.assign(target.request, { runIn, runOptions: ["-p", "80:80"], imageEnv: ["OTHER_URI"] });
    const podman = dirname(executable("podman", "#!/bin/sh\n"));
    const engine = { PATH: `${podman}:${process.env["PATH"]}`, CONTAINER_HOST: "ssh://elsewhere" };
    const { stdout, status } = await target.run(["a", "--b"], { ...engine, ...env });
    expect(status).toBe(0);
    if (!isInImage) return expect(stdout).toBe(uris);
    const [name, command, described = "", ...args] = stdout.trim().split("\n");
    expect([name, command, ...args]).toEqual(["helper", "run", "a", "--b"]);
    const image = /default##(.*?)::/.exec(uris)?.[1];
    expect(JSON.parse(described)).toEqual({
      ...{ target: "//pkg:t", image, options: ["-p", "80:80"] },
      env: { SLIPWAY_CONTAINER_IMAGE_URIS: uris.trim(), OTHER_URI: image },
    });
    return undefined;
  });

  it("runs the program on this machine, and says so, where nothing runs images", async () => {
    const { target, uris } = pipeline();
    target.request.engineHelper = "_main/helper";
    const { stdout, stderr } = await target.run([], { SLIPWAY_RUN_IN: "image", PATH: "/nowhere" });
    expect(stdout).toBe(uris);
    expect(stderr).toContain("not in containers: neither podman nor docker");
  });

  it("runs nothing in a place that does not exist", async () => {
    const { status, stderr } = await pipeline().target.run([], { SLIPWAY_RUN_IN: "box" });
    expect({ status, stderr }).toEqual({ status: 2, stderr: printed("variable-invalid", "SLIPWAY_RUN_IN") });
    expect(registry.log).toEqual([]);
  });

  it("leaves tags alone, which name what somebody else pushed", async () => {
    const other = new Target("push");
    other.request.defaultRegistry = registry.host;
    const theirs = other.image({ layers: ["theirs"] });
    await other.run();
    registry.seen.length = 0;
    expect((await pipeline().target.run()).status).toBe(0);
    expect(sha256(registry.manifests.get("team/app t_default")?.bytes ?? Buffer.alloc(0))).toBe(theirs);
    expect(registry.log.filter((each) => each.includes("/manifests/") && !each.includes("sha256:"))).toEqual([]);
  });

  it("streams a base's layer that is not on this machine, from registry to registry", async () => {
    await using source = await FakeRegistry.start();
    const bytes = randomBytes(300_000);
    const digest = source.putBlob("base", bytes);
    const target = onBase(source, [{ bytes }]);
    expect(await target.run()).toMatchObject({ status: 0 });
    expect(registry.blobs.get(`team/app ${digest}`)).toEqual(bytes);
  });

  it("names the registry whose layer is damaged", async () => {
    await using source = await FakeRegistry.start();
    const bytes = randomBytes(300_000);
    source.blobs.set(`base ${sha256(bytes)}`, Buffer.alloc(bytes.length));
    const target = onBase(source, [{ bytes }]);
    expect(await target.run()).toMatchObject({ status: 1, stderr: printed("registry-failed", source.host) });
    expect(registry.manifests.size).toBe(0);
  });

  it("asks to mount what it does not have, and nothing else", async () => {
    registry.putBlob("base", Buffer.from("layer of the base"));
    const target = onBase(registry, [{ bytes: Buffer.from("layer of the base") }, "a layer of its own"]);
    expect(await target.run()).toMatchObject({ status: 0 });
    expect(registry.seen.filter(({ path }) => path.includes("from=base")).length).toBe(1);
  });

  it("mounts a base's layer that the same registry has", async () => {
    const bytes = Buffer.from("layer of the base");
    registry.putBlob("base", bytes);
    const target = onBase(registry, [{ bytes }]);
    expect(await target.run()).toMatchObject({ status: 0, stderr: expect.stringContaining("1 mounted") });
  });

  it("pushes nothing when the user has an image of his own, and does not name any other", async () => {
    const { target } = pipeline();
    const { stdout } = await target.run([], {
      SLIPWAY_CONTAINER_IMAGE: "mine",
      SLIPWAY_CONTAINER_IMAGE_URIS: "old##x",
    });
    expect(stdout).toBe("\n");
    expect(registry.seen).toEqual([]);
  });

  it("tells other variables too: the list where their name asks for it, else the default image", async () => {
    const { target, uris } = pipeline();
    target.request.imageEnv = ["OTHER_IMAGE", "OTHER_IMAGE_URIS"];
    target.file(
      "_main/pkg/program",
      '#!/bin/sh\necho "$OTHER_IMAGE"; echo "$OTHER_IMAGE_URIS"; printenv SLIPWAY_CONTAINER_IMAGE_URIS || echo unset\n',
    );
    const old = { OTHER_IMAGE: "old", OTHER_IMAGE_URIS: "old##x", SLIPWAY_CONTAINER_IMAGE_URIS: "old##x" };
    const first = uris.slice("default##".length).replace(/::.*/s, "");
    expect((await target.run([], old)).stdout).toBe(`${first}\n${uris}${uris}`);
    const custom = await target.run([], { ...old, SLIPWAY_CONTAINER_IMAGE: "mine" });
    expect(custom.stdout).toBe("mine\ndefault##mine::slim##mine\nunset\n");
  });

  it.each(["launch", "binary"] as const)("puts images below the registry's prefix: %s", async (mode) => {
    const target = new Target(mode, '#!/bin/sh\necho "$SLIPWAY_CONTAINER_IMAGE_URIS"\n');
    const digest = target.image({ layers: ["x"] });
    const env = { SLIPWAY_REGISTRY: registry.host, SLIPWAY_REPOSITORY_PREFIX: "aws/me" };
    const { stdout } = await target.run([], env);
    expect(stdout).toBe(`default##${registry.host}/aws/me/team/app@${digest}\n`);
    expect(registry.manifests.has(`aws/me/team/app ${digest}`)).toBe(mode === "launch");
  });

  it("takes the target's registry over SLIPWAY_REGISTRY over the build's", async () => {
    await using other = await FakeRegistry.start();
    const { target } = pipeline();
    target.request.images = [
      { ...(target.images[0] as never as object), registry: registry.host } as never,
      target.images[1] as never,
    ];
    target.request.defaultRegistry = "registry.invalid";
    const { stdout } = await target.run([], { SLIPWAY_REGISTRY: other.host });
    expect(stdout).toMatch(new RegExp(`default##${registry.host}/.*::slim##${other.host}/`));
  });

  it("completes, when it was killed in the middle of a push, with the next run", async () => {
    const target = new Target("launch", showImages);
    target.request.defaultRegistry = registry.host;
    const layers = [randomBytes(1_000_000), randomBytes(1_000_000)];
    target.image({ layers });
    const child = target.start();
    const killed = ended(child);
    registry.intervene = async (request) => {
      if (request.method !== "PUT" || Number(request.headers["content-length"]) < 1_000_000) return false;
      for await (const _ of request) {
        child.kill("SIGKILL");
        break;
      }
      return true;
    };
    expect((await killed).status).toBe("SIGKILL");
    expect(registry.manifests.size).toBe(0);
    registry.intervene = undefined;
    expect(await target.run()).toMatchObject({ status: 0 });
    expect(layers.every((layer) => [...registry.blobs.values()].some((blob) => blob.equals(layer)))).toBe(true);
  });
});

describe("binary", () => {
  it("tells the addresses and asks nobody", async () => {
    const { target, uris } = pipeline("binary");
    expect(await target.run()).toEqual({ status: 0, stdout: uris, stderr: "" });
    expect(registry.seen).toEqual([]);
  });
});

describe("dry run", () => {
  it("says what would be pushed and run, moves nothing, starts nothing", async () => {
    const { target } = pipeline();
    const { stdout, status } = await target.run(["a b"], { SLIPWAY_DRY_RUN: "1" });
    expect(status).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^would push ${registry.host}/team/app@sha256:\\w+: 3 of 3 blobs, \\d+ B\nwould push .*\n` +
          `would run SLIPWAY_CONTAINER_IMAGE_URIS=default##${registry.host}/.*/_main/pkg/program 'a b'\n$`,
      ),
    );
    expect(registry.log.every((each) => each.startsWith("HEAD "))).toBe(true);
  });

  it("of the steps says what would be pushed, moves nothing, and starts the program, which shows them", async () => {
    const { target, uris } = pipeline();
    const { stdout, status } = await target.run([], { SLIPWAY_DRY_RUN: "steps" });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^would push .*@sha256:\w+: .*\nwould push .*@sha256:\w+: .*\n/);
    expect(stdout.endsWith(`\n${uris}`)).toBe(true);
    expect(registry.log.every((each) => each.startsWith("HEAD "))).toBe(true);
  });

  it("of the embedded registry does not start that", async () => {
    const { target } = pipeline();
    target.request.defaultRegistry = "";
    const { stdout, status } = await target.run([], { SLIPWAY_DRY_RUN: "1" });
    expect(status).toBe(0);
    expect(stdout).toContain("would start the embedded registry and push what it lacks of localhost/team/app@sha256:");
  });
});

describe("an error", () => {
  it("of a registry that does not answer names it, and the program is not started", async () => {
    const { target } = pipeline();
    const { host } = registry;
    await registry.stop();
    const stderr = printed("registry-unreachable", new RegExp(`^slipway: .*${host}`));
    expect(await target.run()).toEqual({ status: 2, stdout: "", stderr });
  });

  it.each<[number, Record<string, string>, string, ErrorCode, string]>([
    [401, { "www-authenticate": "Basic realm=x" }, "", "registry-login", ".docker/config.json"],
    [403, {}, '{"errors":[{"code":"DENIED","message":"not you"}]}', "registry-login", "403 DENIED (not you)"],
    [507, {}, '{"errors":[{"code":"STORAGE_FULL","message":"disk full"}]}', "registry-full", ""],
  ])("of a registry that answers %d has a code", async (status, headers, body, code, words) => {
    registry.intervene = (request, response) => {
      if (request.method === "HEAD" && status !== 401) return false;
      request.resume();
      response.writeHead(status, headers).end(body);
      return true;
    };
    expect(await pipeline().target.run()).toEqual({ status: 2, stdout: "", stderr: printed(code, words) });
  });

  it("of a missing runfile names the target and the file", async () => {
    const { target } = pipeline();
    rmSync(join(target.runfiles, "_main/pkg/slim.config.json"));
    expect(await target.run()).toMatchObject({
      status: 1,
      stderr: printed("target-invalid", /\/\/pkg:t.* _main\/pkg\/slim\.config\.json /),
    });
    expect(registry.manifests.size).toBeLessThan(3);
  });

  it("of a layer that was cut short names it and stores nothing", async () => {
    const { target } = pipeline();
    writeFileSync(join(target.runfiles, "_main/pkg/default1.tar.gz"), "o");
    expect(await target.run()).toMatchObject({ status: 1, stderr: printed("image-invalid", /sha256:\w+/) });
    expect(registry.manifests.size).toBeLessThan(2);
  });

  it.each([
    ["a request of another version", { version: 2 }, "version"],
    ["a mode that is unknown", { mode: "fly" }, "mode"],
    ["an image without a repository", { images: [{ tag: "x", registry: "" }] }, "images[0].repository"],
  ])("of %s names the field", async (_, change, field) => {
    const { target } = pipeline();
    Object.assign(target.request, change);
    const stderr = printed("target-invalid", `request.json: ${field} `);
    expect(await target.run()).toMatchObject({ status: 1, stderr });
  });

  it.each([
    ["repository", { repository: "Team/App" }, "Team/App"],
    ["registry", { registry: "https://x" }, "https://x"],
  ])("of a bad %s is the user's", async (_, change, culprit) => {
    const target = new Target("launch");
    target.request.defaultRegistry = registry.host;
    target.image({ layers: ["x"], ...change });
    expect(await target.run()).toMatchObject({ status: 2, stderr: printed("reference-invalid", `"${culprit}"`) });
    expect(registry.seen).toEqual([]);
  });
});
