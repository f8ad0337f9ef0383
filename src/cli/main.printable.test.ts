import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { header } from "../layer/header.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { openRegistry } from "../registry/client/open.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { resultKey } from "../results/key.ts";
import { ResultWriter } from "../results/writer.ts";
import { RunRecord } from "../runs/record.ts";
import { type Outcome, run } from "./testdata/slipway.ts";

/** Clears the screen, sets a title and a link, forges a line, turns text around, and hides some. */
const hostile =
  "x\u001b[2J\u001b]0;t\u0007\u001b]8;;http://evil\u001b\\\u009b1m\u007f\nforged: line\u202e\u2066\u200b\u{e0041}y";
const raw = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** @returns what was shown */
function expectEscaped(words: readonly string[], { out, error }: Outcome): string {
  const shown = out + error;
  expect({ words, raw: raw.exec(shown)?.[0], shown }).toEqual({ words, raw: undefined, shown });
  // Errors quote what a program or the user wrote, with its line ends: further lines are indented.
  expect({ words, lines: out.match(/^\W*forged/m)?.[0] ?? error.match(/^forged/m)?.[0], shown }).toEqual({
    words,
    lines: undefined,
    shown,
  });
  return shown;
}

async function registryOfTest() {
  const registry = await FakeRegistry.start();
  onTestFinished(() => registry.stop());
  const stored = new StoredImages(registry, "team/app");
  const content = Buffer.alloc(5000, "x");
  const tar = Buffer.concat([
    header({ type: "file", path: `usr/${hostile.replaceAll("/", "_")}`, content: { bytes: content } }, 5000),
    content,
    Buffer.alloc(120 + 1024),
  ]);
  const digest = stored.image({
    tag: "v1",
    config: {
      os: `linux${hostile}`,
      created: hostile,
      config: {
        User: hostile,
        WorkingDir: hostile,
        Env: [`A=${hostile}`],
        Entrypoint: [hostile],
        Labels: { [hostile]: hostile, "org.opencontainers.image.url": `javascript:${hostile}` },
      },
      history: [{ comment: hostile }],
    },
    manifest: {
      layers: [{ mediaType: mediaTypes.layerGzip, ...stored.blob(gzipSync(tar)) }],
      annotations: { a: hostile },
    },
  });
  const subject = { mediaType: mediaTypes.manifest, digest, size: 1 };
  for (const artifactType of [hostile, "application/spdx+json"]) {
    const layer = { mediaType: artifactType, ...stored.blob(Buffer.from(JSON.stringify({ name: hostile }))) };
    stored.image({
      manifest: {
        artifactType,
        subject,
        annotations: { "org.opencontainers.image.created": hostile },
        layers: [layer],
      },
    });
  }
  stored.manifest(`not JSON ${hostile}` as never, { tag: "broken" });
  return { registry, host: registry.host };
}

it("shows nothing of an image as a terminal would obey it", { timeout: 120_000 }, async () => {
  const { registry, host } = await registryOfTest();
  const home = mkdtempSync(join(tmpdir(), "printable-"));
  const env = { HOME: home, XDG_STATE_HOME: home };
  const name = `${host}/team/app:v1`;
  const shown: string[] = [];
  for (const words of [
    ["inspect", name],
    ["inspect", name, "--json"],
    ["tree", name],
    ["tree", name, "--json"],
    ["check", name],
    ["ls", `${host}/team/app`],
    ["referrers", name],
    ["referrers", name, "--json"],
    ["verify", name],
    ["inspect", `${host}/team/app:broken`],
    ["inspect", `${host}/team/${hostile}`],
    ["inspect", name, `--platform=${hostile}`],
  ]) {
    shown.push(expectEscaped(words, await run(["image", ...words], { env, cwd: home })));
  }
  expect(shown.join("")).toContain("\\u001b[2J");
  // JSON stays the same JSON.
  const { out } = await run(["image", "inspect", name, "--json"], { env, cwd: home });
  expect(JSON.parse(out)).toMatchObject({
    config: { config: { User: hostile } },
    manifest: { annotations: { a: hostile } },
  });
  registry.intervene = (_seen, response) => {
    response.writeHead(403, { "content-type": "application/json" });
    response.end(JSON.stringify({ errors: [{ code: hostile, message: hostile }] }));
    return true;
  };
  for (const words of [
    ["image", "inspect", name],
    ["image", "ls", `${host}/team/app`],
    ["results", "ls", `${host}/team/app`],
    ["model", "ls", "--registry", host],
  ]) {
    expectEscaped(words, await run(words, { env, cwd: home }));
  }
});

it("shows nothing of runs, results and credentials as a terminal would obey it", { timeout: 120_000 }, async () => {
  const { host } = await registryOfTest();
  const home = mkdtempSync(join(tmpdir(), "printable-"));
  const env = { HOME: home, XDG_STATE_HOME: home };
  const record = new RunRecord(
    env,
    {
      version: 1,
      arguments: 0,
      engine: hostile,
      images: [hostile],
      commit: hostile,
      process: 1,
      began: "0",
      program: hostile,
    },
    () => {},
  );
  record.add({ batch: { id: hostile, name: hostile, after: [hostile], items: 1, isMap: true } });
  record.add({ item: { batch: hostile, index: 0, state: "failed", where: hostile, error: "TideError" } });
  record.end(3);
  const client = openRegistry(host, { plainHttp: true } as never);
  onTestFinished(() => client.close());
  const scope = { function: hostile, version: hostile };
  const writer = new ResultWriter({ client, repository: "team/app", onNotice: () => {} }, scope, () => new Date());
  writer.add({ key: resultKey(scope, "[1]"), result: JSON.stringify(hostile) });
  await writer.end();
  const place = { env, cwd: home };
  const listed = JSON.parse((await run(["results", "ls", `${host}/team/app`, "--json"], place)).out);
  expect(listed).toMatchObject([scope]);
  for (const words of [
    ["runs", "ls"],
    ["runs", "ls", "--json"],
    ["runs", "show"],
    ["runs", "show", hostile],
    ["results", "ls", `${host}/team/app`],
    ["results", "show", `${host}/team/app`, listed[0].run],
    ["results", "rm", `${host}/team/app`, hostile],
    ["job", "status", hostile],
    ["service", "history", hostile],
    ["credentials", "ls"],
    [hostile],
    ["image", `--${hostile}`],
  ]) {
    expectEscaped(words, await run(words, place));
  }
});
