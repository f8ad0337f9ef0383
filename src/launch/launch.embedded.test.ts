import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { askServer, askStatus } from "../registry-server/client.ts";
import { registryPaths } from "../registry-server/paths.ts";
import { protocolVersion } from "../registry-server/protocol.ts";
import { bundleOf } from "../registry-server/testdata/bundle.ts";
import { Target } from "./testdata/target.ts";

let bundle: string;
beforeAll(async () => {
  bundle = await bundleOf();
});

function pipeline(mode: "launch" | "binary" | "push" = "launch") {
  const target = new Target(mode, '#!/bin/sh\necho "$SLIPWAY_CONTAINER_IMAGE_URIS"\n');
  target.file("_main/registry.mjs", readFileSync(bundle));
  const digest = target.image({ layers: ["x", "y"] });
  const paths = registryPaths(target.env);
  const pid = async () => (await askStatus(paths.socket))?.pid;
  onTestFinished(async () => {
    await askServer(paths.socket, "POST", "stop");
  });
  const requests = () =>
    readFileSync(join(paths.folder, "requests.log"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map(({ method, path }) => `${method} ${path}`);
  return { target, digest, pid, requests };
}

describe("the embedded registry", () => {
  it("is started by the first push, which says so, and asked once when nothing changed", async () => {
    const { target, digest, requests } = pipeline();
    const first = await target.run();
    expect(first.stdout).toMatch(new RegExp(`^default##localhost:\\d+/team/app@${digest}\n$`));
    expect(first.stderr).toMatch(
      /^slipway: no registry is set, so images go to the embedded one of this machine, localhost:\d+\n/,
    );
    const before = requests().length;
    expect(await target.run()).toEqual({ status: 0, stdout: first.stdout, stderr: "" });
    expect(requests().slice(before)).toEqual([`HEAD /v2/team/app/manifests/${digest}`]);
    // The next image is pushed without these words.
    target.images.length = 0;
    target.image({ layers: ["another"] });
    const second = await target.run();
    expect(second.status).toBe(0);
    expect(second.stdout).not.toBe(first.stdout);
    expect(second.stderr).not.toContain("no registry is set");
  });

  it.each(["launch", "binary", "push"] as const)(
    "gets nothing from a %s with a mistake in config.yaml",
    async (mode) => {
      const { target, pid } = pipeline(mode);
      const path = join(target.folder, "config.yaml");
      for (const [text, place] of [
        ["registries: [", "1:14"],
        ["instanceTypes: {a: {cpus: 1}}", "1:17"],
      ] as const) {
        writeFileSync(path, text);
        const { status, stdout, stderr } = await target.run([], { SLIPWAY_CONFIG: path });
        expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
        expect(stderr).toContain(`${path}:${place}: `);
        expect(await pid()).toBeUndefined();
      }
    },
  );

  it("is asked once per tag by a push of nothing new", async () => {
    const { target, requests } = pipeline("push");
    const tags = ["--tag", "a", "--tag", "b", "--tag", "c"];
    const { stdout } = await target.run(tags);
    const before = requests().length;
    expect(await target.run(tags)).toEqual({ status: 0, stdout, stderr: "" });
    expect(requests().slice(before).sort()).toEqual(["a", "b", "c"].map((tag) => `HEAD /v2/team/app/manifests/${tag}`));
  });

  it("gets the documents of an image, and is asked once afterwards", async () => {
    const { target, requests } = pipeline("push");
    const referrers = ["application/spdx+json", "application/vnd.in-toto+json"].map((artifactType) => ({
      file: target.file(`_main/pkg/${artifactType}`, "{}"),
      artifactType,
    }));
    target.images[0] = { ...(target.images[0] as (typeof target.images)[number]), referrers };
    expect(await target.run()).toMatchObject({ status: 0, stderr: expect.not.stringContaining("attached") });
    // Of the image, and of what refers to it.
    expect(requests().filter((each) => /^PUT .*\/manifests\//.test(each))).toHaveLength(3);
    const before = requests().length;
    expect(await target.run()).toMatchObject({ status: 0, stderr: "" });
    expect(requests().slice(before)).toEqual([expect.stringMatching(/^HEAD \/v2\/team\/app\/manifests\//)]);
  });

  it("that was killed is started again, and still has the image", async () => {
    const { target, pid, requests } = pipeline();
    const { stdout } = await target.run();
    process.kill((await pid()) as number, "SIGKILL");
    while ((await pid().catch(() => 0)) !== undefined);
    const before = requests().length;
    expect(await target.run()).toEqual({ status: 0, stdout, stderr: "" });
    expect(requests().slice(before).length).toBe(1);
  });

  it("that dies twice during a push ends it with its own words, and status 1", async () => {
    const target = new Target("push");
    // Dies of the first upload.
    const server = `
      import { createServer } from "node:http";
      import { closeSync, rmSync, writeSync } from "node:fs";
      const socket = process.env.HOME + "/.local/state/slipway/registry/registry.sock";
      const status = JSON.stringify({ protocol: ${protocolVersion}, host: "localhost:1", pid: process.pid });
      rmSync(socket, { force: true });
      createServer((request, response) => {
        if (request.url === "/slipway/status") response.end(status);
        else if (request.method === "HEAD") response.writeHead(404).end();
        else process.exit();
      }).listen(socket, () => {
        writeSync(3, '{"ready":{"host":"localhost:1"}}\\n');
        closeSync(3);
      });`;
    target.file("_main/registry.mjs", server);
    target.image({ layers: ["x"] });
    const { status, stderr } = await target.run();
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/The embedded registry, localhost:1, stopped answering \(.*\) while/),
    ]);
    expect(stderr).toMatch(/Run the command again.*\[embedded-registry\]\n$/);
  });

  it("has a name once it ran, by which a binary knows its images without a request", async () => {
    const { target, requests } = pipeline("binary");
    target.request.mode = "launch";
    const { stdout } = await target.run();
    const before = requests().length;
    target.request.mode = "binary";
    expect((await target.run()).stdout).toBe(stdout);
    expect(requests().length).toBe(before);
  });
});
