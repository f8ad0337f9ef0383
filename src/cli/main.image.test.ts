import { readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { printed } from "../core/testdata/reported.ts";
import { header } from "../layer/header.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { openRegistry } from "../registry/client/open.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { attachReferrer } from "../registry/referrers.ts";
import { pushImage, serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { type Outcome, run } from "./testdata/slipway.ts";

let registry: FakeRegistry;
let env: Record<string, string>;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  env = (await stateOfTest()).env;
});
afterEach(() => registry.stop());

/**
 * Runs `slipway image …` as a user does. HOST in an argument is the registry's address, and the other way round in
 * what is printed.
 */
async function image(...args: string[]): Promise<Outcome> {
  const words = args.map((arg) => arg.replaceAll("HOST", registry.host));
  const { out, error, status } = await run(["image", ...words], { env });
  const shown = (said: string) => said.replaceAll(registry.host, "HOST");
  return { out: shown(out), error: shown(error), status };
}

const stored = () => new StoredImages(registry, "team/app");

/** An image with one layer of one file. */
function realImage(tag: string): string {
  const content = Buffer.alloc(5000, "x");
  const tar = Buffer.concat([
    header({ type: "file", path: "usr/bin/tool", content: { bytes: content } }, 5000),
    content,
    Buffer.alloc(120 + 1024),
  ]);
  const layer = stored().blob(gzipSync(tar));
  const config = {
    config: { User: "1000", Env: ["A=b"], Entrypoint: ["/usr/bin/tool"], Labels: { team: "one" } },
    history: [{ comment: "the tool" }],
  };
  return stored().image({ tag, config, manifest: { layers: [{ mediaType: mediaTypes.layerGzip, ...layer }] } });
}

describe("slipway image inspect", () => {
  it("says what an image is, for people and as JSON", async () => {
    const digest = realImage("v1");
    const { out } = await image("inspect", "HOST/team/app:v1");
    expect(out.split("\n")).toEqual(
      expect.arrayContaining([
        "Name        HOST/team/app:v1",
        `Digest      ${digest}`,
        "Platform    linux/amd64",
        "User        1000",
        'Entrypoint  ["/usr/bin/tool"]',
        "Variable    A=b",
        "Label       team=one",
        expect.stringMatching(/^ +\d+ B {2}sha256:\w+ {2}the tool$/),
      ]),
    );
    const json = JSON.parse((await image("inspect", `HOST/team/app@${digest}`, "--json")).out);
    const { manifest: mediaType } = mediaTypes;
    expect(json).toMatchObject({ digest, mediaType, config: { os: "linux" }, manifest: { schemaVersion: 2 } });
  });

  it("shows the images of an index, or that of one platform", async () => {
    const arm = stored().image({ platform: "linux/arm64" });
    stored().index({ "linux/amd64": stored().image({}), "linux/arm64/v8": arm }, { tag: "v1" });
    expect((await image("inspect", "HOST/team/app:v1")).out).toContain(`  linux/arm64/v8  ${arm}\n`);
    const { out } = await image("inspect", "HOST/team/app:v1", "--platform=linux/arm64");
    expect(out).toContain(`Digest      ${arm}\n`);
    expect(await image("inspect", "HOST/team/app:v1", "--platform=linux/s390x")).toMatchObject({
      status: 2,
      error: printed("image-unsuitable", /linux\/s390x[\s\S]*linux\/amd64, linux\/arm64\/v8/),
    });
  });
});

describe("--platform", () => {
  it("of an image for another one is an error", async () => {
    realImage("v1");
    expect(await image("inspect", "HOST/team/app:v1", "--platform", "linux/amd64")).toMatchObject({ status: 0 });
    expect(await image("copy", "HOST/team/app:v1", "HOST/x", "--platform", "linux/arm64")).toEqual({
      status: 2,
      out: "",
      error: printed("image-unsuitable", /HOST\/team\/app:v1 .*linux\/amd64/),
    });
  });
});

describe("slipway image copy", () => {
  it("prints the copy's digest, and says what it moved", async () => {
    const digest = realImage("v1");
    expect(await image("copy", "HOST/team/app:v1", "HOST/other/app")).toEqual({
      status: 0,
      out: `HOST/other/app@${digest}\n`,
      error: expect.stringMatching(/^pushed HOST\/other\/app:v1: 2 blobs mounted \(\d+ B\)\n$/),
    });
    expect((await image("copy", "HOST/team/app:v1", "HOST/other/app:v1")).error).toBe("no image had to be moved\n");
    const other = digest.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await image("copy", "HOST/team/app:v1", `HOST/other/app@${other}`)).toMatchObject({
      status: 2,
      error: printed("reference-invalid"),
    });
  });
});

describe("slipway image copy of an index", () => {
  const index = () =>
    stored().index(
      { "linux/amd64": stored().image({ layers: ["a"] }), "linux/arm64": stored().image({ platform: "linux/arm64" }) },
      { tag: "v1" },
    );

  it("says what became of each image and of all, and what it moved when that is a tag alone", async () => {
    const digest = index();
    const { error, out } = await image("copy", "HOST/team/app:v1", "HOST/other/app");
    expect(out).toBe(`HOST/other/app@${digest}\n`);
    const lines = error.trimEnd().split("\n");
    expect(lines.slice(0, 2).sort()).toEqual([
      expect.stringMatching(/^pushed HOST\/other\/app@sha256:[0-9a-f]{12}: \d blobs? mounted/),
      expect.stringMatching(/^pushed HOST\/other\/app@sha256:[0-9a-f]{12}: \d blobs? mounted/),
    ]);
    expect(lines.slice(2)).toEqual(["pushed HOST/other/app:v1", expect.stringMatching(/^in all: \d blobs mounted \(/)]);
    const again = await image("copy", "HOST/team/app:v1", "HOST/other/app:v2");
    expect(again.error).toBe("pushed HOST/other/app:v2\n");
    expect((await image("copy", "HOST/team/app:v1", "HOST/other/app:v2")).error).toBe("no image had to be moved\n");
  });

  it("tells programs each event", async () => {
    const digest = index();
    const { error, out } = await image("copy", "HOST/team/app:v1", "HOST/other/app", "--json");
    expect(error).toBe("");
    const events = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.filter(({ event }) => event === "blob").map(({ outcome }) => outcome)).toContain("mounted");
    expect(events.slice(-2)).toEqual([
      { event: "image", image: "HOST/other/app", digest, tags: ["v1"], outcome: "pushed" },
      { event: "reference", reference: `HOST/other/app@${digest}` },
    ]);
  });
});

describe("slipway image ls", () => {
  it("lists tags; without a name, the repositories of the embedded registry", async () => {
    realImage("v1");
    realImage("v2");
    const { out } = await image("ls", "HOST/team/app", "--json");
    expect(JSON.parse(out)).toEqual(expect.arrayContaining(["v1", "v2"]));
    expect((await image("ls")).out).toBe("");
    const state = await stateOfTest();
    env = state.env;
    const server = await serverOfTest(state);
    await pushImage(server.ask, "team/embedded", "v1", ["one"]);
    expect((await image("ls")).out).toBe("team/embedded\n");
  });
});

describe("slipway image rm", () => {
  it("removes tags and images", async () => {
    const digest = realImage("v1");
    expect(await image("rm", "HOST/team/app:v1", `HOST/team/app@${digest}`)).toEqual({
      status: 0,
      out: `HOST/team/app:v1\nHOST/team/app@${digest}\n`,
      error: "",
    });
    expect(registry.manifests.size).toBe(0);
  });

  it("of a tag, where a registry removes none, says what to do instead", async () => {
    const digest = realImage("v1");
    registry.intervene = (request, response) => {
      if (request.method !== "DELETE") return false;
      response.writeHead(405).end();
      return true;
    };
    expect(await image("rm", "HOST/team/app:v1")).toMatchObject({
      status: 2,
      error: printed("registry-unsupported", `slipway image rm HOST/team/app@${digest}`),
    });
  });
});

describe("slipway image tree", () => {
  it("shows folders, and gives every file as JSON", async () => {
    realImage("v1");
    expect((await image("tree", "HOST/team/app:v1")).out).toMatch(
      /layer 1: the tool\nsha256:\w+\n.*\n +5\.0 kB 100% {2}usr\/bin\//,
    );
    const { layers } = JSON.parse((await image("tree", "HOST/team/app:v1", "--json")).out);
    expect(layers[0].root.children[0].children[0].children).toEqual([{ name: "tool", size: 5000 }]);
  });

  it("names the documents that are attached", async () => {
    const digest = realImage("v1");
    expect((await image("tree", "HOST/team/app:v1")).out).not.toContain("attached");
    const client = openRegistry(registry.host);
    const stored = await client.getManifest("team/app", digest);
    const subject = {
      mediaType: mediaTypes.manifest,
      digest: sha256(stored?.bytes ?? ""),
      size: stored?.bytes.length ?? 0,
    };
    const artifactType = "application/spdx+json";
    const content = Buffer.from("{}");
    const attached = await attachReferrer(client, "team/app", subject, {
      artifactType,
      mediaType: artifactType,
      content,
    });
    client.close();
    expect((await image("tree", "HOST/team/app:v1")).out).toMatch(/^attached: application\/spdx\+json$/m);
    const { referrers } = JSON.parse((await image("tree", "HOST/team/app:v1", "--json")).out);
    expect(referrers).toEqual([{ artifactType, digest: attached.digest, size: attached.size }]);
  });

  it("leaves no page behind when it cannot read the image", async () => {
    stored().image({ layers: ["no tar"], tag: "broken" });
    const folder = env["HOME"] ?? "";
    expect(await image("tree", "HOST/team/app:broken", "--html", join(folder, "page.html"))).toMatchObject({
      status: 1,
      error: printed("image-invalid", /sha256:\w+/),
    });
    expect(readdirSync(folder).filter((name) => name.includes("page"))).toEqual([]);
  });
});

describe("a mistake", () => {
  it.each<[string[], ErrorCode, string]>([
    [[], "command-line-invalid", "slipway image"],
    [["inspect"], "command-line-invalid", "<image>"],
    [["inspect", "team/App"], "reference-invalid", "team/App"],
    [["inspect", "HOST/team/app"], "image-not-found", "HOST"],
    [["copy", "HOST/team/app:v1"], "command-line-invalid", "<source> <destination>"],
    [["copy", "HOST/team/app:v1", "HOST/x"], "image-not-found", "HOST"],
    [["inspct", "x"], "command-line-invalid", "`slipway image inspect`"],
    [["inspect", "x", "--jsn"], "command-line-invalid", "`--json`"],
    [["copy", "a", "b", "c"], "command-line-invalid", '"c"'],
    [["ls", "HOST", "x"], "command-line-invalid", '"x"'],
    [["tree", "HOST/team/app", "--platform", "amd64"], "command-line-invalid", "--platform"],
    [["ls", "HOST"], "reference-invalid", "HOST"],
    [["ls", "HOST/team/app:v1"], "reference-invalid", "HOST/team/app:v1"],
    [["ls", "HOST/team/app"], "image-not-found", "HOST"],
    [["rm", "HOST/team/app"], "reference-invalid", "HOST/team/app"],
    [["rm", "HOST/team/app:v1"], "image-not-found", "HOST"],
    [["tree", "HOST/team/app", "--depth", "none"], "command-line-invalid", "--depth"],
    [["tree", "HOST/team/app", "--html", "x", "--json=true"], "command-line-invalid", "--json"],
    [["tree", "localhost:1/team/app"], "registry-unreachable", "localhost:1"],
  ])("%j is status 2 and names it", async (args, code, culprit) => {
    const { error, ...outcome } = await image(...args);
    expect({ error, ...outcome }).toEqual({ out: "", error: printed(code, culprit), status: 2 });
    expect(error.trimEnd().split("\n").length).toBe(2);
  });
});
