import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { sha256 } from "../oci/digest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { StoredImages } from "../registry/client/testdata/stored-images.ts";
import { stateOfTest } from "../registry-server/testdata/fixture.ts";
import { bundleType, statementType } from "../signatures/bundle.ts";
import type { PageNode, TreeAnswer } from "./image/tree/page-data.ts";
import { compressedTar, deepFolders, manyFiles, ordinaryFiles, zeros } from "./testdata/hostile.ts";
import { commandLine, type Outcome, outcomeOf, start } from "./testdata/slipway.ts";

/** The built program, where Bazel runs this test. From its sources, Node takes up to 60 MiB more. */
const built = join(import.meta.dirname, "../slipway.bundle/main.mjs");
const isBuilt = existsSync(built);
const program = isBuilt ? [...commandLine.slice(0, -1), built] : commandLine;

/** MiB that a command may take for any input. */
const most = isBuilt ? 256 : 316;

// A busy machine is slow; a command without end is stopped by the limit of the whole target.
vi.setConfig({ testTimeout: 600_000 });

let registry: FakeRegistry;
let env: Record<string, string>;
/** Answers without an end: what `content` gives, again and again. */
const endless = createServer((request: IncomingMessage, response: ServerResponse) => {
  response.on("error", () => {});
  const chunk = Buffer.alloc(64 * 1024, request.url?.startsWith("/lines") ? "a\n" : " ");
  response.writeHead(request.url?.startsWith("/404") ? 404 : 200, { "content-type": "application/json" });
  const write = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", write);
  write();
});
let address: string;
beforeAll(async () => {
  registry = await FakeRegistry.start();
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
});
afterAll(async () => {
  endless.closeAllConnections();
  endless.close();
  await registry.stop();
});
beforeEach(async () => {
  env = (await stateOfTest()).env;
});

/** Runs a command, which writes its peak when it ends. */
async function measured(...args: string[]): Promise<Outcome & { peak: number }> {
  return measuredProgram([...program, ...args]);
}

async function measuredProgram(
  words: readonly string[],
  use: (child: ChildProcess) => unknown = () => {},
): Promise<Outcome & { peak: number }> {
  const file = join(temporaryFolder(), "peak");
  const script = `import{readFileSync as r,writeFileSync as w}from"node:fs";process.on("exit",()=>w(${JSON.stringify(file)},/VmHWM:\\s*(\\d+)/.exec(r("/proc/self/status","utf8"))[1]))`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(script)}`;
  const child = start(words, { env: { ...env, NODE_OPTIONS: preload } });
  const [outcome] = await Promise.all([outcomeOf(child), use(child)]);
  const peak = Math.round(Number(readFileSync(file, "utf8")) / 1024);
  process.stdout.write(`${peak} MiB, status ${outcome.status}: ${words.slice(-4).join(" ")}
`);
  return { ...outcome, peak };
}

/** An image of layers. @returns its name, and the digest of the lowest layer */
function imageOf(tag: string, ...blobs: Buffer[]): { name: string; layer: string } {
  const images = new StoredImages(registry, "team/app");
  const layers = blobs.map((bytes) => ({ mediaType: mediaTypes.layerGzip, ...images.blob(bytes) }));
  const digests = layers.map(({ digest }) => digest);
  images.image({ tag, config: { rootfs: { type: "layers", diff_ids: digests } }, manifest: { layers } });
  return { name: `${registry.host}/team/app:${tag}`, layer: digests[0] ?? "" };
}

describe.each([
  ["folders that long paths imply", () => compressedTar(deepFolders(16_000), createGzip({ level: 1 }))],
  ["two and a half million files", () => compressedTar(manyFiles(2_500_000), createGzip({ level: 1 }))],
  [
    "files, with a zstd window of 128 MiB",
    () => compressedTar(manyFiles(2000), createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: 27 } })),
  ],
])("a layer of %s", (what, make) => {
  it("is refused by name within the memory", async () => {
    const { name, layer } = imageOf(`v${what.length}`, await make());
    const [tree, check] = await Promise.all([measured("image", "tree", name), measured("image", "check", name)]);
    expect(tree).toMatchObject({ status: 1, error: expect.stringContaining(layer) });
    expect(check.status).toBe(1);
    expect(check.out + check.error).toContain(layer);
    expect(Math.max(tree.peak, check.peak)).toBeLessThanOrEqual(most);
  });
});

/** Asks the page for images, all at once, and ends it. */
async function askPage(
  child: ChildProcess,
  images: readonly string[],
  compares = true,
): Promise<(readonly [number, string])[]> {
  const [link] = await Promise.race([once(child.stdout as Readable, "data"), once(child, "exit")]);
  const { origin, hash } = new URL(`${link}`.trim());
  const headers = { authorization: `Bearer ${hash.replace("#token=", "")}` };
  try {
    const name = encodeURIComponent(images[0] ?? "");
    await fetch(`${origin}/api/registries?name=${name}`, { method: "POST", headers });
    const trees = images.flatMap((image) => [
      `tree?name=${encodeURIComponent(image)}`,
      ...(compares ? [`diff?one=${encodeURIComponent(image)}&other=${name}`] : []),
    ]);
    return await Promise.all(
      trees.map(async (path) => {
        const answer = await fetch(`${origin}/api/${path}`, { headers });
        return [answer.status, await answer.text()] as const;
      }),
    );
  } finally {
    child.kill("SIGINT");
  }
}

// From its sources, it has no page.
it.skipIf(!isBuilt)("the page refuses hostile layers by name within the memory, and stays", async () => {
  const makers = [deepFolders(16_000), manyFiles(2_500_000)].map((tar) => compressedTar(tar, createGzip({ level: 1 })));
  const blobs = await Promise.all(makers);
  const hostile = blobs.map((blob, index) => imageOf(`page${index}`, blob));
  const good = imageOf("good", await compressedTar(ordinaryFiles(10), createGzip({ level: 1 })));
  let answers: (readonly [number, string])[] = [];
  const { peak } = await measuredProgram([...program, "ui"], async (child) => {
    answers = await askPage(
      child,
      [...hostile, good].map(({ name }) => name),
    );
  });
  for (const [status, text] of answers.slice(0, 4)) {
    expect(status).toBe(500);
    expect(hostile.some(({ layer }) => text.includes(layer))).toBe(true);
  }
  expect(answers[4]?.[0]).toBe(200);
  expect(peak).toBeLessThanOrEqual(most);
});

it("an image of a million files, with the largest windows of zstd that are read, is read within the memory", async () => {
  const count = 1_000_000;
  const bytes = (100 * count) / 10;
  const params = { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_compressionLevel]: 1 };
  const layers = [0, 1, 2, 3].map((part) =>
    compressedTar(ordinaryFiles(count / 4, (part * count) / 4), createZstdCompress({ params })),
  );
  const { name } = imageOf("million", ...(await Promise.all(layers)));
  const file = join(temporaryFolder(), "a.html");
  const [tree, json] = await Promise.all([measured("image", "tree", name), measured("image", "tree", "--json", name)]);
  expect(tree).toMatchObject({ status: 0, out: expect.stringContaining(` ${count} files`) });
  const { layers: told } = JSON.parse(json.out) as { layers: { root: { size: number; files: number } }[] };
  expect(told.reduce((sum, { root }) => sum + root.size, 0)).toBe(bytes);
  expect(told.reduce((sum, { root }) => sum + root.files, 0)).toBe(count);
  const [html, check] = await Promise.all([
    measured("image", "tree", "--html", file, name),
    measured("image", "check", name),
  ]);
  const [, data = ""] = /id="image">(.*)<\/script>/.exec(readFileSync(file, "utf8")) ?? [];
  const sizeOf = ([, content]: PageNode): number =>
    typeof content === "number" ? content : content.reduce((sum, child) => sum + sizeOf(child), 0);
  const page = (JSON.parse(data) as TreeAnswer).layers;
  expect(page.reduce((sum, { root }) => sum + sizeOf(root), 0)).toBe(bytes);
  expect(check.out).toContain("tmp");
  expect(Math.max(tree.peak, json.peak, html.peak, check.peak)).toBeLessThanOrEqual(most);
  if (!isBuilt) return;
  const { peak } = await measuredProgram([...program, "ui"], async (child) => {
    const [[status, text = ""] = []] = await askPage(child, [name], false);
    expect(status).toBe(200);
    expect((JSON.parse(text) as TreeAnswer).layers).toEqual(page);
  });
  expect(peak).toBeLessThanOrEqual(most);
});

describe("attestations of 16 MiB", () => {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const size = 16 * 1024 * 1024;
  const predicateType = "https://spdx.dev/Document";
  /** Of 12 MiB: empty objects take 64 bytes each. */
  const empty = (count: number) => `[${"{},".repeat(count)}{}]`;
  const packages = () =>
    `{"packages":[${Array.from({ length: 60_000 }, (_, index) => JSON.stringify({ name: `p${index}`, versionInfo: "1.0", spdxId: `SPDXRef-${index}`, externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceLocator: `pkg:npm/p${index}@1.0` }] })).join(",")}]}`;

  function bundle(predicate: string, subject: string, by?: KeyObject): Buffer {
    const payload = Buffer.from(
      `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${subject}"}}],"predicateType":"${predicateType}","predicate":${predicate}}`,
    );
    const head = `DSSEv1 ${statementType.length} ${statementType} ${payload.length} `;
    const signature = by ? sign("sha256", Buffer.concat([Buffer.from(head), payload]), by) : Buffer.alloc(70);
    const envelope = {
      payload: payload.toString("base64"),
      payloadType: statementType,
      signatures: [{ sig: signature.toString("base64") }],
    };
    return Buffer.from(JSON.stringify({ mediaType: bundleType, verificationMaterial: {}, dsseEnvelope: envelope }));
  }

  it.each<[string, (subject: string) => Buffer[], number]>([
    ["unsigned ones of empty objects", (subject) => Array(6).fill(bundle(empty(4_000_000), subject)), 1],
    ["bundles that are lists themselves", () => Array(6).fill(Buffer.from(empty(5_000_000))), 1],
    [
      "unsigned SBOMs and a signed one",
      (subject) => [
        ...Array(4).fill(bundle(packages(), subject, other.privateKey)),
        bundle(packages(), subject, key.privateKey),
      ],
      0,
    ],
    ["ones of empty objects, signed", (subject) => Array(3).fill(bundle(empty(4_000_000), subject, key.privateKey)), 1],
  ])("%s are read within the memory", async (what, make, expected) => {
    const images = new StoredImages(registry, "team/app");
    const tag = `v${sha256(what).slice(7, 17)}`;
    const digest = images.image({ tag, config: { created: what } });
    const manifests = make(digest.slice(7)).map((bytes, index) => {
      expect(bytes.length).toBeLessThanOrEqual(size);
      const annotations = { "dev.sigstore.bundle.predicateType": predicateType, index: `${index}` };
      const subject = { mediaType: mediaTypes.manifest, digest, size: 1 };
      const layers = [{ mediaType: bundleType, ...images.blob(bytes) }];
      const artifact = { artifactType: bundleType, subject, annotations, layers };
      return {
        mediaType: mediaTypes.manifest,
        artifactType: bundleType,
        digest: images.image({ manifest: artifact }),
        size: 1000,
        annotations,
      };
    });
    const list = { schemaVersion: 2, mediaType: mediaTypes.index, manifests };
    images.manifest(list, { tag: digest.replace(":", "-") });
    const publicKey = join(temporaryFolder(), "my.pub");
    writeFileSync(publicKey, key.publicKey.export({ format: "pem", type: "spki" }));
    const name = `${registry.host}/team/app:${tag}`;
    const signed = await measured("image", "sbom", name, `--key=${publicKey}`);
    const verified = await measured("image", "verify", name, `--key=${publicKey}`, "--type=spdxjson");
    const unsigned = await measured("image", "sbom", name);
    expect([signed.status, verified.status]).toEqual([expected, expected]);
    expect(Math.max(signed.peak, verified.peak, unsigned.peak)).toBeLessThanOrEqual(most);
  });
});

it("init --from writes nothing for an archive that is none", async () => {
  const bomb = await compressedTar(zeros(1_200_000_000), createGzip({ level: 1 }));
  registry.intervene = (request, response) => {
    if (request.url !== "/bomb.tar.gz") return undefined;
    response.end(bomb);
    return true;
  };
  for (const url of [`${registry.url}/bomb.tar.gz`, `${address}/endless.tar.gz`]) {
    // The command itself has templates, which only its bundle can import.
    const source = JSON.stringify(join(import.meta.dirname, "init/source.ts"));
    const script = `import(${source}).then(m=>m.findSource(process.argv[1],"/",{})).then(console.log,e=>{console.error(e.message);process.exitCode=e.exitStatus})`;
    const { status, error, peak } = await measuredProgram([process.execPath, "-e", script, url]);
    expect({ status, error }).toEqual({ status: 2, error: expect.stringContaining(url) });
    expect(peak).toBeLessThanOrEqual(most);
  }
});

describe("an answer without end", () => {
  it.each<[string, (folder: string) => string[], number]>([
    [
      "InRelease",
      (folder) => [
        "image",
        "lock",
        join(folder, "a.lock"),
        "--suite=bookworm",
        "--package=dash",
        `--mirror=${address}/debian`,
      ],
      1,
    ],
  ])("as %s ends with the address", async (_, words, expected) => {
    const { status, error, peak } = await measured(...words(temporaryFolder()));
    expect({ status, error }).toEqual({ status: expected, error: expect.stringContaining(address) });
    expect(peak).toBeLessThanOrEqual(most);
  });

  it.each<[string, ...string[]]>([
    ["image inspect", "IMAGE"],
    ["image tree", "IMAGE"],
    ["image check", "IMAGE"],
    ["image sbom", "IMAGE"],
    ["image referrers", "IMAGE"],
    ["image verify", "IMAGE", "--key=KEY"],
    ["image sign", "IMAGE", "--key=PRIVATE"],
    ["image copy", "IMAGE", "localhost:1/team/app:v1"],
    // It reads no body of an answer with status 200.
    ["image rm", "IMAGE"],
    ["image ls", "REPOSITORY"],
    ["results ls", "REPOSITORY"],
    ["results show", "REPOSITORY", "run"],
    ["results rm", "REPOSITORY", "name"],
    ["results prune", "REPOSITORY", "--older-than=1d"],
    ["model ls"],
    ["model ls", "team/model"],
    ["model rm", "team/model"],
    ["model push", "team/model", "FOLDER"],
    ["job resolve", "JOB"],
    ["job run", "JOB"],
  ])("of a registry ends `%s %s %s` with its name", async (command, ...words) => {
    const folder = temporaryFolder();
    const host = new URL(address).host;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const names = {
      IMAGE: `${host}/team/app:v1`,
      REPOSITORY: `${host}/team/app`,
      KEY: join(folder, "my.pub"),
      PRIVATE: join(folder, "my.key"),
      FOLDER: folder,
      JOB: join(folder, "job.yaml"),
    };
    writeFileSync(names.KEY, publicKey.export({ format: "pem", type: "spki" }));
    writeFileSync(names.PRIVATE, privateKey.export({ format: "pem", type: "pkcs8" }));
    writeFileSync(names.JOB, `interpreter: {ContainerAtTag: {repository: "${names.REPOSITORY}"}}\ncommand: ["true"]\n`);
    env["SLIPWAY_REGISTRY"] = host;
    const args = words.map((word) => word.replace(/[A-Z]{3,}$/, (name) => names[name as keyof typeof names] ?? name));
    const { status, error, peak } = await measured(...command.split(" "), ...args);
    if (command !== "image rm") {
      expect([1, 2]).toContain(status);
      expect(error).toContain(host);
    }
    expect(peak).toBeLessThanOrEqual(most);
  });

  it("of a registry does not hold up the doctor", async () => {
    env["SLIPWAY_REGISTRY"] = new URL(address).host;
    expect((await measured("doctor")).peak).toBeLessThanOrEqual(most);
  });

  it.each([
    // It gives a cluster five seconds, which may end before the answer is too long.
    { words: ["job", "ls"], expected: /on Kubernetes are left out: .*(endless|the cluster)/ },
    { words: ["service", "status", "--engine=kubernetes", "a"], expected: /endless/ },
    ...["status", "logs", "cancel", "rm"].map((name) => ({
      words: ["job", name, "k8s:a"],
      expected: /endless|the cluster/,
    })),
    ...["ls", "pause a", "rm a"].map((name) => ({
      words: ["job", "schedule", ...name.split(" ")],
      expected: /endless|the cluster/,
    })),
    ...["plan FILE", "apply FILE", "ls", "logs a", "open a", "history a", "rollback a", "restart a", "delete a"].map(
      (name) => ({
        words: ["service", ...name.split(" "), "--engine=kubernetes"],
        expected: /endless|the cluster/,
      }),
    ),
    ...["ls", "rm a"].map((name) => ({
      words: ["secret", ...name.split(" "), "--engine=kubernetes"],
      expected: /endless|the cluster/,
    })),
  ])("of an API server ends $words with the cluster", async ({ words, expected }) => {
    const kubeconfig = join(temporaryFolder(), "config");
    const named = (kind: string, value: object) => [{ name: "endless", [kind]: value }];
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        ...{ apiVersion: "v1", kind: "Config", "current-context": "endless" },
        clusters: named("cluster", { server: address, "insecure-skip-tls-verify": true }),
        users: named("user", {}),
        contexts: named("context", { cluster: "endless", user: "endless", namespace: "default" }),
      }),
    );
    env["KUBECONFIG"] = kubeconfig;
    const service = `${kubeconfig}.yaml`;
    writeFileSync(service, `name: a\nimage: registry.example.com/a@sha256:${"0".repeat(64)}\nport: 80\n`);
    const args = words.map((word) => (word === "FILE" ? service : word));
    const { out, error, peak } = await measured(...args);
    expect(out + error).toMatch(expected);
    expect(peak).toBeLessThanOrEqual(most);
  });
});
