import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSeen, writeProbe } from "./probe.ts";
import { Registry } from "./registry.ts";
import { finished, Workspace } from "./workspace.ts";

const workspace = new Workspace("launch");
const registry = new Registry(workspace);
const reference = /^localhost:\d+\/probe@sha256:[0-9a-f]{64}$/;

beforeAll(() => writeProbe(workspace));
afterAll(() => registry.stop());

async function run(args: readonly string[], options: Parameters<Workspace["bazel"]>[1] = {}) {
  return readSeen(await workspace.stdout(["run", "//probe", "--", ...args], options));
}

describe("a pipeline's program", () => {
  it("knows all its images, which are in the registry", async () => {
    const { environment } = await run([]);
    const uris = environment["SLIPWAY_CONTAINER_IMAGE_URIS"] ?? "";
    const images = new Map(uris.split("::").map((entry) => entry.split("##") as [string, string]));
    expect([...images.keys()].sort()).toEqual(["default", "slim"]);
    for (const [tag, uri] of images) {
      expect(uri).toMatch(reference);
      await registry.verifyNamed("probe", uri);
      expect(await registry.tag("probe", `probe_${tag}`)).toBeUndefined();
    }
    expect(environment["OTHER_IMAGE_URIS"]).toBe(uris);
    expect(environment).not.toHaveProperty("SLIPWAY_RUNFILES");
  });

  it("gets every argument as it was typed, those that look like options of ours too", async () => {
    const typed = ["--help", "--version", "two words", "", "$HOME", "a'b\"c", "*", "-n", "--", "--dry-run"];
    expect((await run(typed)).arguments).toEqual(typed);
    expect(readSeen(await workspace.stdout(["run", "//probe:probe_binary", "--", ...typed])).arguments).toEqual(typed);
    expect(readSeen(await workspace.stdout(["run", "//probe:probe_local", "--", ...typed])).arguments).toEqual(typed);
  });

  it("reads the standard input and the working directory that the bare program has", async () => {
    const bare = readSeen(await workspace.stdout(["run", "//probe:probe_local"], { stdin: "tide\n" }));
    const launched = await run([], { stdin: "tide\n" });
    expect(launched.stdin).toBe("tide");
    expect(launched.environment["BUILD_WORKING_DIRECTORY"]).toBe(bare.environment["BUILD_WORKING_DIRECTORY"]);
    expect(launched.folder.replace("/probe.runfiles/", "/probe_local.runfiles/")).toBe(bare.folder);
  });

  it("ends bazel run with its own exit status", async () => {
    expect((await workspace.bazel(["run", "//probe", "--", "exit", "0"])).status).toBe(0);
    expect((await workspace.bazel(["run", "//probe", "--", "exit", "37"])).status).toBe(37);
  });

  it.each([
    ["SIGINT", 43],
    ["SIGTERM", 43],
    ["SIGKILL", 137],
  ] as const)("gets %s", async (signal, status) => {
    const child = workspace.start(["run", "//probe", "--", "wait"]);
    const end = finished(child);
    const [first] = (await once(child.stdout ?? child, "data")) as [Buffer];
    expect(first.toString()).toBe("waiting\n");
    child.kill(signal);
    const { stdout, ...rest } = await end;
    expect(rest.status).toBe(status);
    expect(stdout).toBe(signal === "SIGKILL" ? "waiting\n" : `waiting\ngot ${signal}\n`);
  });

  it("runs with the user's own image, and nothing is pushed", async () => {
    const requests = await registry.requestsDuring(async () => {
      const { environment } = await run([], { env: { SLIPWAY_CONTAINER_IMAGE: "example.com/mine:1" } });
      expect(environment["SLIPWAY_CONTAINER_IMAGE"]).toBe("example.com/mine:1");
      expect(environment).not.toHaveProperty("SLIPWAY_CONTAINER_IMAGE_URIS");
    });
    expect(requests).toEqual([]);
  });
});

describe("the embedded registry", () => {
  it("that a run starts keeps none of its descriptors, so that a shell's $(…) returns", async () => {
    await registry.stop();
    // Bazel's own server would keep the pipe otherwise, had this command started it.
    await workspace.stdout(["info", "release"]);
    const child = workspace.start(["run", "//probe"], { stdio: ["ignore", "pipe", "pipe"] });
    // `close` comes when the last process that has one end of the pipes has ended or closed it.
    const { status, stdout } = await finished(child);
    expect(status).toBe(0);
    expect(readSeen(stdout).arguments).toEqual([]);
    const { pid } = await registry.status();
    expect(pid).toBeGreaterThan(0);
  });

  it("takes another port when somebody else is on its own, who is asked nothing", async () => {
    await workspace.stdout(["run", "//probe"]);
    const before = (await registry.status()).host;
    await registry.stop();
    const asked: string[] = [];
    const squatter = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end();
    });
    squatter.listen(Number(before.split(":")[1]), "127.0.0.1");
    await once(squatter, "listening");
    try {
      const { environment } = await run([]);
      const { host } = await registry.status();
      expect(host).not.toBe(before);
      expect(environment["SLIPWAY_CONTAINER_IMAGE_URIS"]).toContain(`default##${host}/probe@sha256:`);
      expect(environment["SLIPWAY_CONTAINER_IMAGE_URIS"]).not.toContain(before);
      expect(asked).toEqual([]);
    } finally {
      squatter.close();
    }
  });

  it("is not started by a dry run, which says what would be moved and run", async () => {
    const state = `${workspace.state}-of-dry-run`;
    const env = { SLIPWAY_DRY_RUN: "1", XDG_STATE_HOME: state };
    const stdout = await workspace.stdout(["run", "//probe", "--", "two words"], { env });
    expect(stdout).toMatch(/would start the embedded registry and push .*probe@sha256:/);
    expect(stdout).toMatch(/would run .*'two words'/);
    expect(existsSync(state)).toBe(false);
  });
});
