import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { printed } from "../core/testdata/reported.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { screenOf } from "../registry/client/testdata/screen.ts";
import { ended, Target } from "./testdata/target.ts";

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await FakeRegistry.start();
});
afterEach(() => registry.stop());

function pushTarget(layers = ["x"]): { target: Target; digest: string } {
  const target = new Target("push");
  target.request.defaultRegistry = registry.host;
  return { target, digest: target.image({ layers }) };
}

const tagged = (tag: string) => registry.manifests.get(`team/app ${tag}`)?.bytes.toString();

describe("push", () => {
  it("prints where each image is, on stdout, and asks once per tag when nothing changed", async () => {
    const { target, digest } = pushTarget();
    const second = target.image({ tag: "slim", layers: ["y"] });
    const stdout = `${registry.host}/team/app@${digest}\n${registry.host}/team/app@${second}\n`;
    expect(await target.run()).toMatchObject({ status: 0, stdout });
    registry.seen.length = 0;
    expect(await target.run()).toEqual({ status: 0, stdout, stderr: "" });
    expect(registry.log.sort()).toEqual([
      "HEAD /v2/team/app/manifests/t_default",
      "HEAD /v2/team/app/manifests/t_slim",
    ]);
  });

  it("puts images below the prefix of SLIPWAY_REGISTRY, unless --repository says otherwise", async () => {
    const { target, digest } = pushTarget();
    const env = { SLIPWAY_REGISTRY: registry.host, SLIPWAY_REPOSITORY_PREFIX: "aws/me" };
    const stdout = `${registry.host}/aws/me/team/app@${digest}\n`;
    expect(await target.run([], env)).toMatchObject({ status: 0, stdout });
    expect(registry.manifests.has(`aws/me/team/app ${digest}`)).toBe(true);
    expect(await target.run(["--references"], env)).toMatchObject({ stdout });
    const exact = await target.run(["--references", "--repository=other"], env);
    expect(exact.stdout).toBe(`${registry.host}/other@${digest}\n`);
  });

  it("of A, then B, then A leaves the tag at A", async () => {
    const [a, b] = [pushTarget(["a"]), pushTarget(["b"])];
    await a.target.run();
    const first = tagged("t_default");
    await b.target.run();
    expect(tagged("t_default")).not.toBe(first);
    expect(await a.target.run()).toMatchObject({ status: 0, stderr: expect.stringContaining("tagged ") });
    expect(tagged("t_default")).toBe(first);
  });

  it("stores the images of an index before the index, which alone is tagged and asked for", async () => {
    const target = new Target("push");
    target.request.defaultRegistry = registry.host;
    const images = ["amd64", "arm64"].map((tag) => target.image({ tag, layers: ["shared", tag] }));
    const digest = target.index();
    const stdout = `${registry.host}/team/app@${digest}\n`;
    expect(await target.run()).toMatchObject({ status: 0, stdout });
    const named = [...images, "t_default"].map((name) => `PUT /v2/team/app/manifests/${name}`);
    const all = registry.log.filter((each) => each.startsWith("PUT /v2/team/app/manifests/"));
    // The other one asks whether the repository refuses blobs that it lacks.
    const puts = all.filter((each) => named.includes(each));
    expect(all.length - puts.length).toBe(1);
    expect(puts.slice(0, 2).sort()).toEqual(images.map((image) => `PUT /v2/team/app/manifests/${image}`).sort());
    expect(puts.slice(2)).toEqual(["PUT /v2/team/app/manifests/t_default"]);
    // The layer that both have, one of each, and two configurations.
    expect(registry.log.filter((each) => /^PUT .*\/blobs\//.test(each)).length).toBe(5);
    registry.seen.length = 0;
    expect(await target.run()).toEqual({ status: 0, stdout, stderr: "" });
    expect(registry.log).toEqual(["HEAD /v2/team/app/manifests/t_default"]);
  });

  it("goes where the flags say, under the names they give", async () => {
    const { target, digest } = pushTarget();
    target.request.defaultRegistry = "registry.invalid";
    const flags = ["--registry", registry.host, "--repository=other/app", "--tag", "v1", "--tag=v2"];
    const { stdout } = await target.run(flags, { SLIPWAY_REGISTRY: "elsewhere.invalid" });
    expect(stdout).toBe(`${registry.host}/other/app@${digest}\n`);
    expect([...registry.manifests.keys()].sort()).toEqual(
      ["other/app v1", "other/app v2", `other/app ${digest}`].sort(),
    );
  });

  it("of a second repository mounts what the first one got", async () => {
    const [first, second] = ["team/one", "team/two"].map((repository) => {
      const target = new Target("push");
      target.request.defaultRegistry = registry.host;
      target.image({ layers: ["base", repository], repository });
      return target;
    });
    const env = { XDG_STATE_HOME: join((first as Target).folder, "state") };
    expect((await first?.run([], env))?.status).toBe(0);
    registry.seen.length = 0;
    expect((await second?.run([], env))?.status).toBe(0);
    expect(registry.seen.filter(({ path }) => path.includes("from=team%2Fone")).length).toBe(1);
    expect(registry.log.filter((each) => /^PUT .*\/blobs\//.test(each)).length).toBe(2);
  });

  it("gives an image all its tags, from the target or from a file", async () => {
    const listed = new Target("push");
    const read = new Target("push");
    for (const { request } of [listed, read]) request.defaultRegistry = registry.host;
    const digest = listed.image({ layers: ["x"], remoteTags: ["v1", "latest"] });
    read.image({ layers: ["x"], remoteTags: [], remoteTagsFile: read.file("_main/pkg/tags", "v2\nlatest\n\n v3 \n") });
    for (const target of [listed, read]) expect((await target.run()).status).toBe(0);
    const tags = [...registry.manifests.keys()].filter((key) => key.startsWith("team/app ")).sort();
    expect(tags).toEqual(["latest", digest, "v1", "v2", "v3"].map((tag) => `team/app ${tag}`));
  });

  it("puts the build status in place of variables, where the build is stamped", async () => {
    const { target } = pushTarget(["stamped"]);
    const [image] = target.images.splice(0);
    if (image) target.images.push({ ...image, remoteTags: ["{STABLE_COMMIT}", "built-{BUILD_TIMESTAMP}"] });
    const unstamped = printed("target-invalid", /\{STABLE_COMMIT\}[\s\S]*--stamp/);
    expect(await target.run()).toMatchObject({ status: 2, stderr: unstamped });
    // A tag from a flag does not need the status.
    expect((await target.run(["--tag", "v1"])).status).toBe(0);
    target.request.buildStatus = [
      target.file("_main/stable-status.txt", "STABLE_COMMIT 0a1b2c\nSTABLE_EMPTY\n"),
      target.file("_main/volatile-status.txt", "BUILD_TIMESTAMP 1700000000\n"),
    ];
    expect((await target.run()).status).toBe(0);
    expect(tagged("0a1b2c")).toBe(tagged("built-1700000000"));
    expect(tagged("0a1b2c")).toBe(tagged("v1"));
    target.images.splice(0, 1, { ...(image as (typeof target.images)[number]), remoteTags: ["{STABLE_COMIT}"] });
    const unknown = printed("target-invalid", /"STABLE_COMIT"[\s\S]*STABLE_COMMIT/);
    expect(await target.run()).toMatchObject({ status: 2, stderr: unknown });
  });

  it("writes digests into a file of the folder that the user is in", async () => {
    const { target, digest } = pushTarget();
    await target.run(["--digest-file", "out.txt"], { BUILD_WORKING_DIRECTORY: target.folder });
    expect(readFileSync(join(target.folder, "out.txt"), "utf8")).toBe(`${digest}\n`);
  });

  it.each<[string, string[], Record<string, string>]>([
    ["a flag", ["--dry-run"], {}],
    ["the variable", [], { SLIPWAY_DRY_RUN: "1" }],
  ])("only says what it would do when told so by %s", async (_, flags, env) => {
    const { target, digest } = pushTarget();
    const say = async () => (await target.run(flags, env)).stdout;
    expect(await target.run([...flags, "--json"], env)).toMatchObject({ status: 2, stdout: "" });
    expect(await say()).toMatch(`would push ${registry.host}/team/app@${digest} as t_default: 2 of 2 blobs`);
    expect(registry.log.every((each) => each.startsWith("HEAD "))).toBe(true);
    await target.run();
    expect(await say()).toBe(`nothing to push: ${registry.host}/team/app@${digest} is there\n`);
    registry.manifests.delete("team/app t_default");
    expect(await say()).toBe(`would tag ${registry.host}/team/app@${digest} as t_default\n`);
  });

  it("tells programs in lines of JSON what happens, and nothing else", async () => {
    const { target, digest } = pushTarget(["x", "yy"]);
    const lines = async () => {
      const { stdout, stderr, status } = await target.run(["--json"]);
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
      return stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    };
    const image = `${registry.host}/team/app`;
    const first = await lines();
    expect(first[0]).toEqual({ event: "checked", image, blobs: 3 });
    const blobs = first.filter(({ event }) => event === "blob");
    expect(blobs.map(({ outcome }) => outcome)).toEqual(["uploaded", "uploaded", "uploaded"]);
    expect(blobs.map(({ size }) => size).sort()).toEqual(expect.arrayContaining([1, 2]));
    const end = (outcome: string) => [
      { event: "image", image, digest, tags: ["t_default"], outcome },
      { event: "reference", image, tag: "default", target: "//pkg:t", reference: `${image}@${digest}` },
    ];
    expect(first.slice(-2)).toEqual(end("pushed"));
    expect(await lines()).toEqual(end("unchanged"));
    registry.manifests.delete("team/app t_default");
    expect(await lines()).toEqual(end("tagged"));
  });

  it.runIf(existsSync("/usr/bin/script"))(
    "shows on a terminal how far each blob is, and leaves one line of it",
    async () => {
      const { target } = pushTarget(["x".repeat(3_000_000), "y"]);
      const command = target.command().map((word) => `'${word}'`);
      const env = { ...target.env, NO_COLOR: "1", TERM: "xterm" };
      const child = spawn("/usr/bin/script", ["-qec", `stty cols 70 rows 20; ${command.join(" ")}`, "/dev/null"], {
        env,
      });
      let soFar = "";
      const shown = new Promise<void>((resolve) => {
        child.stdout.on("data", (chunk) => {
          soFar += chunk;
          if (/ sha256:[0-9a-f]{12} 3\.0 MB of 3\.0 MB[\s\S]* 1 B of 1 B/.test(soFar)) resolve();
        });
      });
      // Nothing is stored before all of it is shown to be under way.
      registry.intervene = async ({ method, url }) => {
        if (method === "PUT" && url?.includes("/blobs/")) await shown;
        return false;
      };
      const { stdout, status } = await ended(child);
      expect(status).toBe(0);
      expect(stdout).toMatch(/pushing: \d of 3 blobs, /);
      // Knows only what moves the cursor and clears: a colour would be an error.
      const screen = screenOf(stdout, 70).map((line) => line.trimEnd());
      expect(screen.filter((line) => /pushing|waiting|left/.test(line))).toEqual([]);
      expect(screen.join("")).toContain(`pushed ${registry.host}/team/app:t_default: 3 blobs sent (3.0 MB)`);
    },
  );

  it("names a full standard output, and says nothing when nobody reads it", async () => {
    const { target } = pushTarget();
    const words = ["-c", 'exec "$@" >/dev/full', "sh", ...target.command(["--help"])];
    const full = await ended(spawn("/bin/sh", words, { env: target.env }));
    expect(full).toMatchObject({ status: 1, stderr: printed("file-unwritable", "standard output") });
    expect(full.stderr.trimEnd().split("\n")).toHaveLength(2);
    const child = target.start(["--help"]);
    const [said, exit] = [text(child.stderr as Readable), once(child, "exit")];
    child.stdout?.destroy();
    expect([await said, await exit]).toEqual(["", [141, null]]);
  });

  it("explains itself without a registry", async () => {
    const { target } = pushTarget();
    expect(await target.run(["--help"])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("--digest-file FILE"),
    });
    expect(registry.seen).toEqual([]);
  });

  it.each<[string[], ErrorCode, string]>([
    [["--tags=x"], "command-line-invalid", "'--tags'"],
    [["stray"], "command-line-invalid", "'stray'"],
    [["--tag"], "command-line-invalid", "--tag"],
    [["--tag="], "reference-invalid", '""'],
    [["--digest-file", "/absent/folder/x"], "file-unwritable", "/absent/folder/x"],
  ])("refuses %j with status 2", async (flags, code, culprit) => {
    const stderr = printed(code, culprit);
    expect(await pushTarget().target.run(flags)).toMatchObject({ status: 2, stderr });
  });

  it("refuses a tag that is none before it asks the registry", async () => {
    const target = new Target("push");
    target.request.defaultRegistry = registry.host;
    target.image({ layers: ["x"], remoteTags: ["a/b"] });
    expect(await target.run()).toMatchObject({ status: 2, stderr: printed("reference-invalid", '"a/b"') });
    expect(registry.seen).toEqual([]);
  });

  it("refuses one tag for several images, of which the last would have it", async () => {
    const { target } = pushTarget();
    target.image({ tag: "slim", layers: ["y"] });
    const stderr = printed("command-line-invalid", /--tag.*\/\/pkg:t/);
    expect(await target.run(["--tag=v1"])).toMatchObject({ status: 2, stderr });
  });

  it("refuses one tag for two images of a repository, before it sends anything", async () => {
    const { target } = pushTarget();
    target.image({ tag: "slim", target: "//other:push", layers: ["y"], remoteTags: ["t_default"] });
    const stderr = printed(
      "reference-invalid",
      /default of \/\/pkg:t and image slim of \/\/other:push both get .*t_default/,
    );
    expect(await target.run()).toMatchObject({ status: 2, stderr });
    expect(registry.seen).toEqual([]);
    // The same image may have it twice.
    const same = new Target("push");
    same.request.defaultRegistry = registry.host;
    for (const tag of ["a", "b"]) same.image({ tag, layers: ["x"], remoteTags: ["v1"] });
    expect((await same.run()).status).toBe(0);
  });
});

describe("a push of several targets", () => {
  /** Three images with a common layer, each of a target and in a repository of its own. */
  function all() {
    const target = new Target("push");
    target.request.target = "//:push_all";
    target.request.defaultRegistry = registry.host;
    const references = ["a", "b", "c"].map((name) => {
      const image = { tag: name, target: `//${name}:push`, repository: `team/${name}`, remoteTags: ["v1"] };
      return `${registry.host}/team/${name}@${target.image({ ...image, layers: ["shared", name] })}\n`;
    });
    return { target, references };
  }

  /** The registry refuses everything that would change a repository. */
  function refuse(repository: string): void {
    registry.intervene = (request, response) => {
      const { method = "", url } = request;
      if (["GET", "HEAD"].includes(method) || !url?.startsWith(`/v2/${repository}/`)) return false;
      request.resume();
      response.writeHead(403).end('{"errors":[{"code":"DENIED","message":"not yours"}]}');
      return true;
    };
  }

  it("prints a line for each image, and asks for each once when nothing changed", async () => {
    const { target, references } = all();
    expect(await target.run()).toMatchObject({ status: 0, stdout: references.join("") });
    expect(registry.log.filter((each) => /^PUT .*\/blobs\//.test(each)).length).toBe(7);
    registry.seen.length = 0;
    expect(await target.run()).toEqual({ status: 0, stdout: references.join(""), stderr: "" });
    expect(registry.log.sort()).toEqual(["a", "b", "c"].map((name) => `HEAD /v2/team/${name}/manifests/v1`));
  });

  // Any of them may be the one that sends the layer which all have.
  it.each(["a", "b", "c"])("names the image that cannot be pushed and pushes the others: %s", async (name) => {
    const { target, references } = all();
    refuse(`team/${name}`);
    const { stdout, stderr, status } = await target.run(["--digest-file=digests"], {
      BUILD_WORKING_DIRECTORY: target.folder,
    });
    expect(stdout).toBe(references.filter((each) => !each.includes(`/team/${name}@`)).join(""));
    expect(status).toBe(2);
    expect(stderr).toMatch(new RegExp(`^slipway: image ${name} of //${name}:push: .*403 DENIED \\(not yours\\)`, "m"));
    expect(stderr.match(/^slipway: image /gm)).toHaveLength(1);
    expect(stderr).toMatch(/\/\/:push_all pushed 2 of 3 images\.\n.*\[push-incomplete\]\n$/);
    expect(existsSync(join(target.folder, "digests"))).toBe(false);
    registry.intervene = undefined;
    expect(await target.run()).toMatchObject({ status: 0, stdout: references.join("") });
  });

  it("stops before the first request if a tag lacks its variable, and names the target", async () => {
    const { target } = all();
    target.images[1] = { ...(target.images[1] as (typeof target.images)[number]), remoteTags: ["{STABLE_COMMIT}"] };
    const stderr = printed(
      "target-invalid",
      /"\{STABLE_COMMIT\}" of \/\/b:push[\s\S]*bazel run --stamp \/\/:push_all\./,
    );
    expect(await target.run()).toMatchObject({ status: 2, stderr });
    expect(registry.seen).toEqual([]);
  });

  it("tells programs which image failed, and why", async () => {
    const { target } = all();
    refuse("team/b");
    const { stdout, status } = await target.run(["--json"]);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const error = expect.objectContaining({ code: "registry-login" });
    expect(lines.filter(({ event }) => event === "failed")).toEqual([
      { event: "failed", target: "//b:push", tag: "b", error },
    ]);
    expect(lines.filter(({ event }) => event === "reference").map(({ target }) => target)).toEqual([
      "//a:push",
      "//c:push",
    ]);
    expect(status).toBe(2);
  });
});
