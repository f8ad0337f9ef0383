import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { parseConfig } from "../../src/config/parse-config.ts";
import { parseExactly } from "../../src/core/exact-json.ts";
import { parseReply, ResultReader } from "../../src/core/protocol.ts";
import { lookUp } from "../../src/credentials/docker-config.ts";
import { dockerHelper } from "../../src/credentials/protocols/docker.ts";
import { gitHelper } from "../../src/credentials/protocols/git.ts";
import { parseSshArguments } from "../../src/credentials/protocols/ssh.ts";
import { parseStore } from "../../src/credentials/store.ts";
import { parseSourcesFile, parseSourcesList } from "../../src/debian/apt-sources.ts";
import { openDeb } from "../../src/debian/deb.ts";
import { parseParagraphs } from "../../src/debian/deb822.ts";
import { parseLock } from "../../src/debian/lock.ts";
import { parseRelations } from "../../src/debian/relation.ts";
import { parseRelease } from "../../src/debian/release.ts";
import { testDeb } from "../../src/debian/testdata/packages.ts";
import { compareVersions } from "../../src/debian/version.ts";
import { formsIn, replaceMarked } from "../../src/functions/file-form.ts";
import { FrameError, FrameReader } from "../../src/functions/frames.ts";
import { parseGitUrl, requireGitUrl, submoduleUrl } from "../../src/git/url.ts";
import { parseJobLock } from "../../src/jobs/lock.ts";
import { parseDeployment } from "../../src/jobs/read.ts";
import { LogLines } from "../../src/kubernetes/log-lines.ts";
import { decompressLayer } from "../../src/layer/decompress.ts";
import { header } from "../../src/layer/header.ts";
import { listTar } from "../../src/layer/read.ts";
import { parseModel, parseModelManifest } from "../../src/models/parse.ts";
import { parseImageConfig } from "../../src/oci/config.ts";
import { parseImages } from "../../src/oci/image-uris.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import { formatReference, parseReference } from "../../src/oci/reference.ts";
import { poetryRequirements } from "../../src/python-environments/poetry.ts";
import { checkRequirements } from "../../src/python-environments/requirements.ts";
import { parseChallenges } from "../../src/registry/client/challenge.ts";
import { checkedRealm } from "../../src/registry/client/realm.ts";
import { parseRetryAfter } from "../../src/registry/client/retry.ts";
import { parseRoute } from "../../src/registry-server/http/routes.ts";
import { digestFunctions, missingResponse, readResponse } from "../../src/remote-cache/messages.ts";
import { encodePack, parsePack } from "../../src/results/pack.ts";
import { composeRun, parseRun as parseStoredRun } from "../../src/results/run.ts";
import { parseRun } from "../../src/runs/read.ts";
import { parseLayerPackages } from "../../src/sbom/layer-packages.ts";
import { unpackTar } from "../../src/sdk/folder-tar.ts";
import { decodeValue } from "../../src/sdk/values.ts";
import { readLabels } from "../../src/services/container/facts.ts";
import { parseServices } from "../../src/services/read.ts";
import { readClaim } from "../../src/signatures/bundle.ts";

/** What reads something that others wrote. */
export interface Target {
  readonly name: string;
  /** Valid. */
  readonly seeds: readonly (string | Buffer)[];
  readonly run: (input: Buffer) => unknown;
  /** Errors that its callers report, besides UserError and Failure. Default: none. */
  readonly throws?: (error: Error) => boolean;
}

const zeros = "0".repeat(64);
const digest = `sha256:${zeros}` as const;
const text = (read: (input: string) => unknown) => (input: Buffer) => read(input.toString());
const isRange = (error: Error) => error instanceof RangeError;
const isZlib = (error: Error) => isRange(error) || /^(Z_|ERR_|ZSTD)/.test((error as { code?: string }).code ?? "");

const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  config: { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 },
  layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: 2, annotations: { a: "b" } }],
});
const index = JSON.stringify({
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [
    {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest,
      size: 2,
      platform: { os: "linux", architecture: "amd64" },
    },
  ],
});
const config = JSON.stringify({
  os: "linux",
  architecture: "amd64",
  config: { Env: ["A=B"], Entrypoint: ["/a"], Labels: { a: "b" }, ExposedPorts: { "80/tcp": {} } },
  rootfs: { type: "layers", diff_ids: [digest] },
});

function tarOf(...entries: readonly Buffer[]): Buffer {
  return Buffer.concat([...entries, Buffer.alloc(1024)]);
}
const content = Buffer.concat([Buffer.from("hello"), Buffer.alloc(507)]);
const file = { type: "file", path: "a/b", mode: 0o644, content: { bytes: Buffer.from("hello") } } as never;
const tar = tarOf(
  header({ type: "directory", path: "a" }, 0),
  header(file, 5),
  content,
  header({ type: "symlink", path: "a/l", target: "b" }, 0),
  header({ type: "symlink", path: `a/${"long".repeat(60)}`, target: "../a" }, 0),
);

const job = `interpreter:
  ContainerAtTag: {repository: registry.example.com/a, tag: v1}
code:
  GitRepoBranch: {repo_url: "https://example.com/a.git", branch: main, path_to_source: .}
command: [python, main.py]
environment: {A: b, C: SECRET:d}
resources: {memory: 1Gi, cpu: 2}
volumes: {/data: {claim: data}}
matrix: {M: [1, 2]}
retries: 2
time_limit: 1h
`;
const service = `image: registry.example.com/a:v1
port: 8080
env: [{name: A, value: b}]
resources: {replicas: 1, instanceType: C4}
models: [{id: m, path: /opt/models}]
`;
const configuration = `registries:
  registry.example.com: {plainHttp: false, tokenService: auth.example.com}
remoteCaches:
  cache.example.com: {}
images:
  registry.example.com/a: {}
`;
const lock = `Suite: bookworm
Architecture: amd64
Packages: bash
Snapshot: 20240101T000000Z

Package: bash
Version: 5.2.15-2+b2
Archive: debian
Filename: pool/main/b/bash/bash_5.2.15-2+b2_amd64.deb
SHA256: ${zeros}
Size: 5
`;
const packages = `Package: a
Version: 1:2.0~rc1-1
Depends: b (>= 1.0) | c, d:any [amd64]
Description: x
 more
 .
 end
Filename: pool/a.deb
Size: 3
SHA256: ${zeros}
`;
const release = `Suite: bookworm
Codename: bookworm
Components: main
Architectures: amd64
Valid-Until: Fri, 01 Jan 2100 00:00:00 UTC
SHA256:
 ${zeros} 5 main/binary-amd64/Packages.xz
`;
const scope = { function: "f", version: "1" };
const form = { $slipway: "file", digest, size: 3, name: "a.txt" };
const record = [
  { version: 1, program: "//a", arguments: 0, engine: "process", images: [], process: 1, began: "1" },
  { batch: { id: "f", name: "f", after: [], items: 2, isMap: true } },
  { item: { batch: "f", index: 0, state: "running" } },
  { output: { batch: "f", text: "hello\n" } },
  { item: { batch: "f", index: 0, state: "done", result: "1" } },
]
  .map((event) => `${JSON.stringify(event)}\n`)
  .join("");
const model = { schemaVersion: 2, artifactType: "x", config: { mediaType: "a/b", digest, size: 2 }, layers: [] };

/** A home without anything. */
function withHome<Result>(
  act: (env: { HOME: string; PATH: string }, folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-fuzz-"));
  return act({ HOME: folder, PATH: "/nonexistent" }, folder).finally(() =>
    rmSync(folder, { recursive: true, force: true }),
  );
}

async function unpackBeside(input: Buffer): Promise<void> {
  await withHome(async (_, folder) => {
    const outside = join(folder, "outside");
    writeFileSync(outside, "before");
    const outcome = await unpackTar(Readable.from([input]), join(folder, "into")).catch((error: unknown) => error);
    expect(readFileSync(outside, "utf8")).toBe("before");
    if (outcome instanceof Error) throw outcome;
  });
}

function unpacked(input: Buffer, open: (folder: string) => Promise<unknown>): Promise<unknown> {
  return withHome((_, folder) => {
    writeFileSync(join(folder, "in"), input);
    return open(folder);
  });
}

async function drained(stream: AsyncIterable<unknown>): Promise<void> {
  let count = 0;
  for await (const _ of stream) {
    count += 1;
    if (count > 1_000_000) throw new Error("it does not end");
  }
}

export const targets: readonly Target[] = [
  { name: "manifests", seeds: [manifest, index], run: (input) => parseManifest(input) },
  { name: "image configurations", seeds: [config], run: (input) => parseImageConfig(input) },
  {
    name: "references",
    seeds: ["docker.io/library/a:v1", `registry.example.com:5000/a/b@${digest}`, "[::1]:80/a", "localhost/a"],
    run: text((input) => {
      const reference = parseReference(input);
      if (JSON.stringify(parseReference(formatReference(reference))) !== JSON.stringify(reference))
        throw new Error(`${input} does not come back`);
    }),
  },
  { name: "image lists", seeds: [`default##a.io/b@${digest}::gpu##a.io/c@${digest}`], run: text(parseImages) },
  {
    name: "headers of registries",
    seeds: ['Bearer realm="https://auth.example.com/token",service="a",scope="repository:a/b:pull"'],
    run: text(async (input) => {
      const base = new URL("https://registry.example.com");
      for (const { parameters } of parseChallenges(input)) {
        const options = { endpoint: { registry: "registry.example.com", base } as never, secret: true };
        await checkedRealm(parameters["realm"] ?? "", options);
      }
      const wait = parseRetryAfter(input);
      if (wait !== undefined && !(wait >= 0)) throw new Error(`waits for ${wait}`);
    }),
  },
  { name: "retry-after", seeds: ["5", "Wed, 21 Oct 2015 07:28:00 GMT"], run: text((input) => parseRetryAfter(input)) },
  {
    name: "paths of the registry",
    seeds: ["/v2/", "/v2/a/b/manifests/v1", `/v2/a/blobs/${digest}`, "/v2/a/blobs/uploads/1"],
    run: text(parseRoute),
    throws: (error) => error.constructor.name === "RegistryError" || "status" in error,
  },
  { name: "jobs", seeds: [job], run: text((input) => parseDeployment(input, "job.yaml")) },
  {
    name: "locks of jobs",
    seeds: [`version: 1\ndeployment:\n${job.replaceAll(/^/gm, "  ")}\nsource: {}\n`],
    run: (input) => refused(() => parseJobLock(input.toString(), "job.lock")),
  },
  { name: "services", seeds: [service], run: text((input) => parseServices(input, "service.yaml", ["C4"])) },
  {
    name: "config.yaml",
    seeds: [configuration],
    run: text((input) => parseConfig(input, "config.yaml")),
  },
  {
    name: "git addresses",
    seeds: ["https://example.com/a/b.git", "ssh://git@example.com:22/a", "git@example.com:a/b.git"],
    run: text((input) => {
      if ("problem" in parseGitUrl(input)) return;
      const url = requireGitUrl(input, ["https", "ssh"], "a");
      if (/^-|[\s\p{Cc}]/u.test(url.text) || url.authority.startsWith("-")) throw new Error(`${input} is an option`);
      submoduleUrl(url, "../../c", ["https", "ssh"], "a");
    }),
  },
  {
    name: "Debian paragraphs",
    seeds: [packages],
    run: text((input) => [...parseParagraphs(input)].map((each) => parseRelations(each.get("depends")))),
  },
  { name: "Debian releases", seeds: [release], run: text((input) => parseRelease(input, "bookworm", new Date())) },
  { name: "Debian locks", seeds: [lock], run: (input) => refused(() => parseLock(input.toString(), "base.lock")) },
  {
    name: "apt sources",
    seeds: [
      "deb [arch=amd64] https://mirror.example.com/debian bookworm main\n",
      "Types: deb\nURIs: https://mirror.example.com/debian\nSuites: bookworm\nComponents: main\n",
    ],
    run: text((input) => [parseSourcesList(input), parseSourcesFile(input)]),
  },
  {
    name: "Debian versions",
    seeds: ["1:2.0~rc1-1+b2 1.0"],
    run: text((input) => compareVersions(input.split(" ")[0] ?? "", input.split(" ")[1] ?? "")),
  },
  {
    name: "Debian packages",
    seeds: [
      testDeb("a", [{ path: "usr/bin/a", content: "hello" } as never], {
        compression: "",
        control: "Depends: b\n",
      } as never),
    ],
    run: (input) => unpacked(input, (folder) => openDeb(join(folder, "in"), join(folder, "data"))),
  },
  {
    name: "layers",
    seeds: [tar, gzipSync(tar)],
    run: (input) => drained(listTar(decompressLayer(Readable.from([input])))),
    throws: isZlib,
  },
  {
    name: "folders of functions",
    seeds: [tar],
    run: unpackBeside,
    throws: (error) => isRange(error) || "syscall" in error,
  },
  {
    name: "answers of functions",
    seeds: [
      '{"result":{"a":[1,1.0,"x"]}}',
      '{"error":{"name":"UserError","message":"a\\nb","details":"c","code":"d","culprit":"e"}}',
      '{"logged":5}',
      "{}",
    ],
    run: text((input) => {
      for (const parse of [JSON.parse, parseExactly]) {
        const reply = parseReply(input, parse);
        if ("error" in reply) reply.error.message.split("\n");
        else JSON.stringify(reply);
      }
    }),
  },
  {
    name: "output of functions",
    seeds: ["before\u001eslipway n {}\nafter", "\u001eslipway m {}\n"],
    run: (input) => {
      let size = 0;
      const reader = new ResultReader("n", 1000, (data) => {
        size += data.length;
      });
      for (let at = 0; at < input.length; at += 7) reader.write(input.subarray(at, at + 7));
      const reply = reader.end();
      if (size + (reply?.length ?? 0) > input.length + 3) throw new Error("output came twice");
    },
  },
  {
    name: "handles of files",
    seeds: [JSON.stringify({ a: [form, { $slipway: "object", value: { $slipway: 1 } }] })],
    run: text((input) => {
      for (const { name } of formsIn(input))
        if (/[/\0]/.test(name) || name === "..") throw new Error(`a name is ${name}`);
      replaceMarked(JSON.parse(input), () => null);
    }),
    throws: (error) => error instanceof SyntaxError || isRange(error),
  },
  {
    name: "frames of workers",
    seeds: ['{"type":"result","id":1,"sizes":[2,3]}\n[]abc{"type":"revoked","ids":[1]}\n', '{"type":"end"}\n'],
    run: (input) => {
      // However it is cut, the same frames come.
      const framesOf = (size: number) => {
        const frames: string[] = [];
        const reader = new FrameReader((frame, bodies) => frames.push(JSON.stringify([frame, bodies.map(String)])));
        for (let at = 0; at < input.length; at += size) reader.write(input.subarray(at, at + size));
        return frames.join();
      };
      if (framesOf(7) !== framesOf(input.length)) throw new Error("the frames depend on how they are cut");
    },
    throws: (error) => error instanceof FrameError,
  },
  {
    name: "values of calls",
    seeds: [
      '[{"$slipway":"bytes","at":1},{"$slipway":"array","type":"float32","shape":[1,1],"at":2}]',
      '{"a":{"$slipway":"number","value":"NaN"},"b":{"$slipway":"integer","value":"9007199254740993"}}',
      '{"$slipway":"date","value":"2026-11-24T10:00:00.123Z"}',
    ],
    run: (input) => {
      const value = decodeValue([input, Buffer.from("body"), Buffer.alloc(4)]);
      // Content that nobody has.
      if (value instanceof Promise) value.catch(() => {});
    },
    throws: (error) => error instanceof SyntaxError,
  },
  {
    name: "logs of pods",
    seeds: ["2024-01-01T00:00:00.000000001Z hello\n2024-01-01T00:00:01Z world\n"],
    run: (input) => {
      const lines = new LogLines();
      for (const half of [input.subarray(0, input.length / 2), input]) {
        lines.since();
        lines.write(half);
      }
    },
  },
  { name: "runs", seeds: [record], run: text((input) => parseRun("20240101T000000Z-00000000", input, () => false)) },
  {
    name: "kept results",
    seeds: [encodePack(scope, [{ key: zeros, result: "[1]" }])],
    run: (input) => parsePack(input, scope),
  },
  {
    name: "runs of kept results",
    seeds: [Buffer.from(composeRun("results-a", { scope, packs: [], stored: new Date(0) } as never))],
    run: (input) => parseStoredRun("results-a", input),
  },
  {
    name: "models",
    seeds: [JSON.stringify(model)],
    run: (input) => refused(() => parseModel(parseModelManifest(input, "m"), Buffer.from("{}"), "m")),
  },
  {
    name: "signatures",
    seeds: [
      '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":{"hint":"a"}},"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"YQ=="}]}}',
    ],
    run: (input) => refused(() => readClaim(input, "bundle")),
  },
  {
    name: "packages of layers",
    seeds: ['{"packages":[]}'],
    run: (input) => refused(() => parseLayerPackages(input, "layer")),
  },
  {
    name: "answers of caches",
    seeds: [Buffer.from("5203414243", "hex"), Buffer.from("0a0408010802", "hex"), Buffer.from("12040a02610a", "hex")],
    run: (input) => {
      for (const read of [readResponse, missingResponse, digestFunctions]) {
        try {
          read(input);
        } catch (error) {
          if (!(error instanceof RangeError) || /call stack/.test(error.message)) throw error;
        }
      }
    },
  },
  {
    name: "configuration of docker",
    seeds: [JSON.stringify({ auths: { "a.io": { auth: "YTpi" } }, credHelpers: { "b.io": "x" }, credsStore: "y" })],
    run: text((input) => lookUp(input, { registry: "a.io", repository: "b" } as never)),
    // Its callers say which file it is.
    throws: (error) => error.constructor === Error,
  },
  {
    name: "stored credentials",
    seeds: [
      "version: 1\ncredentials: []\n",
      '{"version":1,"credentials":[{"service":"git","url":"https://a.io","source":{"kind":"stored","username":"a","password":"b"}}]}',
    ],
    run: (input) => refused(() => parseStore(input.toString(), "credentials")),
  },
  {
    name: "questions of git",
    seeds: ["protocol=https\nhost=example.com\npath=a/b.git\nusername=me\npassword=p\n\n"],
    run: (input) =>
      withHome(async (env) => {
        for (const action of ["get", "store", "erase"])
          await gitHelper({ args: [action], stdin: Readable.from([input]), env } as never);
      }),
  },
  {
    name: "questions of docker",
    seeds: ["registry.example.com", '{"ServerURL":"a.io","Username":"b","Secret":"c"}'],
    run: (input) =>
      withHome(async (env) => {
        for (const action of ["get", "store", "erase"])
          await dockerHelper({ args: [action], stdin: Readable.from([input]), env } as never).catch((error) => {
            if (error?.constructor?.name !== "UserError" && error?.constructor?.name !== "Failure") throw error;
          });
      }),
  },
  {
    name: "arguments of ssh",
    seeds: ["-p\n22\ngit@example.com\ngit-upload-pack 'a'"],
    run: text((input) => parseSshArguments(input.split("\n"))),
  },
  {
    name: "requirements",
    seeds: [`a==1.0 \\\n    --hash=sha256:${zeros}\nb==2 ; python_version > "3" --hash=sha256:${zeros}\n`],
    run: (input) => unpacked(input, (folder) => checkRequirements("in", new Map([["in", join(folder, "in")]]))),
  },
  {
    name: "Poetry's locks",
    seeds: ['[metadata]\nlock-version = "2.1"\ncontent-hash = "x"\n[[package]]\nname = "a"\nversion = "1"\n'],
    run: (input) => refused(() => poetryRequirements('[project]\nname = "a"\n', input.toString(), "p")),
  },
  {
    name: "Poetry's projects",
    seeds: ['[project]\nname = "a"\ndependencies = ["b>1"]\n[tool.poetry]\n'],
    run: (input) => refused(() => poetryRequirements(input.toString(), '[metadata]\nlock-version = "2.1"\n', "p")),
  },
  {
    name: "labels of containers",
    seeds: [
      JSON.stringify({ "slipway/service": "a", "slipway/replica": "0", "slipway/hash": "h", "slipway/facts": "{}" }),
    ],
    run: text((input) => readLabels(JSON.parse(input))),
    throws: (error) => error instanceof SyntaxError || error instanceof TypeError,
  },
];

/** For seeds that are refused, as those are whose digest is made up. */
function refused(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || !("culprit" in error)) throw error;
  }
}
