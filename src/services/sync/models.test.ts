import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished, vi } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { pushModel } from "../../models/push.ts";
import { placeOfModel } from "../../models/registry.ts";
import { type Digest, sha256 } from "../../oci/digest.ts";
import { open, registry, useRegistry } from "../../registry/client/testdata/harness.ts";
import { modelFolder } from "../content.ts";
import { syncModels } from "./models.ts";

useRegistry();

type Files = Readonly<Record<string, string | Buffer>>;

function folderWith(files: Files): string {
  const folder = folderOfTest();
  write(folder, files);
  return folder;
}

function write(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

async function push(folder: string, id = "iris"): Promise<Digest> {
  const place = placeOfModel({ client: open(), host: registry.host, place: (name) => name }, id);
  return (await pushModel(place, { folder, name: id })).digest;
}

const folderOf = (digest?: Digest) =>
  modelFolder({ registry: registry.host, repository: "models/iris", ...(digest === undefined ? {} : { digest }) });

const argumentsFor = (volume: string, digest: Digest) => [
  `--volume=${volume}`,
  `--model=${registry.host}/models/iris@${digest}`,
];

/** Brings a version into a volume. Returns what was asked of the registry. */
async function sync(volume: string, digest: Digest): Promise<string[]> {
  const before = registry.log.length;
  await syncModels(argumentsFor(volume, digest));
  return registry.log.slice(before);
}

/** The same as a program of its own, which can be killed. */
function start(volume: string, digest: Digest): ChildProcess {
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, [main, "models", ...argumentsFor(volume, digest)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** All files below a folder with their contents. */
function contentsOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`small/${index}.txt`, `number ${index}`]));

it("brings a model, which is then there without the registry", async () => {
  const files = { "model.bin": "weights", "bin/run": "#!/bin/sh\n", empty: "" };
  const source = folderWith(files);
  chmodSync(join(source, "bin/run"), 0o755);
  const digest = await push(source);
  const volume = folderOfTest();
  await sync(volume, digest);
  const folder = join(volume, folderOf(digest));
  expect(contentsOf(folder)).toEqual(files);
  expect(statSync(join(folder, "bin/run")).mode & 0o777).toBe(0o555);
  expect(statSync(join(folder, "model.bin")).mode & 0o777).toBe(0o444);
  expect(readdirSync(join(volume, "drafts/models"))).toEqual([]);
  expect(await sync(volume, digest)).toEqual([]);
});

it("says how much it fetched", async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const files = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`${index}`, `${index}`.repeat(3_000_000)]));
  await sync(folderOfTest(), await push(folderWith(files)));
  expect(said.mock.calls.join("")).toMatch(/: 8 files, 24\.0 MB; 24\.0 MB fetched in 8 blobs\n/);
});

it("brings the same bytes executable and not", async () => {
  const content = "#!/bin/sh\n".padEnd(3_000_000, "x");
  const source = folderWith({ plain: content, run: content });
  chmodSync(join(source, "run"), 0o755);
  const digest = await push(source);
  const volume = folderOfTest();
  await sync(volume, digest);
  const folder = join(volume, folderOf(digest));
  expect(contentsOf(folder)).toEqual({ plain: content, run: content });
  expect(["plain", "run"].map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o444, 0o555]);
});

it("fetches for another version what is new in it, and leaves the first as it is", async () => {
  const source = folderWith({ a: "1".repeat(100_000), b: "2".repeat(100_000), ...many });
  const one = await push(source);
  write(source, { b: "3".repeat(100_000), "small/7.txt": "changed" });
  const two = await push(source);
  const volume = folderOfTest();
  await sync(volume, one);
  const before = contentsOf(join(volume, folderOf(one)));
  expect(before).toMatchObject({ b: "2".repeat(100_000), ...many });
  const asked = await sync(volume, two);
  // The manifest, the list of packs, one file and one pack.
  expect(asked.map((line) => line.split(" ")[0])).toEqual(["GET", "GET", "GET", "GET"]);
  expect(contentsOf(join(volume, folderOf(one)))).toEqual(before);
  expect(contentsOf(join(volume, folderOf(two)))).toEqual(contentsOf(source));
  const inode = (version: Digest) => statSync(join(volume, folderOf(version), "a")).ino;
  expect(inode(two)).toBe(inode(one));
});

it("mends what is damaged, missing, replaced or added, one file at a time", async () => {
  const source = folderWith({ a: "right", "deep/b": "also right", c: "untouched", ...many });
  const digest = await push(source);
  const volume = folderOfTest();
  await sync(volume, digest);
  const folder = join(volume, folderOf(digest));
  const untouched = statSync(join(folder, "c")).ino;
  // In the folder and in what is kept, which are the same.
  chmodSync(join(folder, "a"), 0o644);
  writeFileSync(join(folder, "a"), "wrong");
  rmSync(join(folder, "deep"), { recursive: true });
  symlinkSync("/", join(folder, "deep"));
  rmSync(join(folder, "small/5.txt"));
  mkdirSync(join(folder, "small/5.txt"));
  writeFileSync(join(folder, "intruder"), "");
  const asked = await sync(volume, digest);
  expect(asked).toEqual([expect.stringMatching(/^GET \/v2\/models\/iris\/blobs\//)]);
  expect(contentsOf(folder)).toEqual(contentsOf(source));
  expect(statSync(join(folder, "c")).ino).toBe(untouched);
  expect(await sync(volume, digest)).toEqual([]);
});

it("goes on where it was killed", async () => {
  const size = 8 * 1024 * 1024;
  const source = folderWith({ large: Buffer.alloc(size, "x"), other: "small" });
  const digest = await push(source);
  const volume = folderOfTest();
  const half = size / 2;
  registry.intervene = (request, response) => {
    if (!request.url?.includes("/blobs/") || request.headers.range) return false;
    const [, blob = Buffer.alloc(0)] =
      [...registry.blobs].find(([key]) => key.endsWith(request.url?.split("/").at(-1) ?? "")) ?? [];
    if (blob.length < size) return false;
    response.writeHead(200, { "content-length": blob.length });
    response.write(blob.subarray(0, half));
    return true;
  };
  const child = start(volume, digest);
  const partial = () => {
    const folder = join(volume, "partial");
    const [name = ""] = existsSync(folder) ? readdirSync(folder).filter((each) => !each.endsWith(".part")) : [];
    return name === "" ? 0 : (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  };
  await expect.poll(partial, { timeout: 30_000 }).toBe(half);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(existsSync(join(volume, folderOf(digest)))).toBe(false);

  registry.intervene = undefined;
  const ranges: (string | undefined)[] = [];
  registry.intervene = (request) => {
    ranges.push(request.headers.range);
    return false;
  };
  await sync(volume, digest);
  expect(ranges).toContain(`bytes=${half}-${size - 1}`);
  expect(readFileSync(join(volume, folderOf(digest), "large")).equals(Buffer.alloc(size, "x"))).toBe(true);
});

it("starts again where what was kept of a file is not its beginning", async () => {
  const source = folderWith({ a: "content" });
  const digest = await push(source);
  const volume = folderOfTest();
  const [key = ""] = [...registry.blobs].find(([, bytes]) => bytes.toString() === "content") ?? [];
  write(volume, { [`partial/${key.split(":")[1]}`]: "wrong" });
  await sync(volume, digest);
  expect(contentsOf(join(volume, folderOf(digest)))).toEqual({ a: "content" });
});

it("goes on where it was killed with a whole file that nobody may write to", async () => {
  const source = folderWith({ a: "content" });
  const digest = await push(source);
  const volume = folderOfTest();
  const [key = ""] = [...registry.blobs].find(([, bytes]) => bytes.toString() === "content") ?? [];
  write(volume, { [`partial/${key.split(":")[1]}`]: "content" });
  chmodSync(join(volume, `partial/${key.split(":")[1]}`), 0o444);
  // Root may write to it; the program is another user.
  expect(await sync(volume, digest)).toContainEqual(expect.stringContaining(`/blobs/sha256:${key.split(":")[1]}`));
  expect(contentsOf(join(volume, folderOf(digest)))).toEqual({ a: "content" });
});

it("takes no file of which the disk took a part", async () => {
  const digest = await push(folderWith({ a: "x".repeat(6000) }));
  const volume = folderOfTest();
  const main = join(import.meta.dirname, "main.ts");
  const words = ["models", ...argumentsFor(volume, digest)];
  const script = 'ulimit -f 4; exec "$@"';
  const child = spawn("bash", ["-c", script, "bash", process.execPath, main, ...words], { stdio: "ignore" });
  const [status] = await once(child, "exit");
  expect(status).toBe(1);
  expect(existsSync(join(volume, folderOf(digest)))).toBe(false);
});

it("takes nothing that is not what its digest says", async () => {
  const source = folderWith({ a: "content", ...many });
  const digest = await push(source);
  const blobs = [...registry.blobs];
  for (const part of ["content", "number 1"]) {
    const volume = folderOfTest();
    for (const [key, bytes] of blobs) {
      const isMeant = bytes.includes(part) && !bytes.includes('"packs"');
      registry.blobs.set(key, isMeant ? Buffer.from(bytes.map((byte) => byte ^ 1)) : bytes);
    }
    await expect(sync(volume, digest)).rejects.toThrow(/sent a damaged blob/);
    expect(existsSync(join(volume, folderOf(digest)))).toBe(false);
    for (const [key, bytes] of blobs) registry.blobs.set(key, bytes);
    await sync(volume, digest);
    expect(contentsOf(join(volume, folderOf(digest)))).toEqual(contentsOf(source));
  }
});

/** A version of the model, as somebody with push right to its repository could change it. */
async function forged(titles: readonly string[]): Promise<Digest> {
  const good = await push(folderWith({ a: "content" }));
  const { bytes, mediaType } = registry.manifests.get(`models/iris ${good}`) ?? { bytes: Buffer.of(), mediaType: "" };
  const manifest = JSON.parse(bytes.toString());
  const [layer] = manifest.layers;
  const layers = titles.map((title) => ({ ...layer, annotations: { "org.opencontainers.image.title": title } }));
  const changed = Buffer.from(JSON.stringify({ ...manifest, layers }));
  registry.manifests.set(`models/iris ${sha256(changed)}`, { bytes: changed, mediaType });
  return sha256(changed);
}

it.each([
  [["../../../../../evil"]],
  [["/evil"]],
  [["a/../../evil"]],
  [["a\\..\\evil"]],
  [["evil\u001b[2J\n"]],
  [["a", "A"]],
  [["a", "a"]],
  [["a", "a/evil"]],
  [["a/x", "A/evil"]],
  [["\u00e9", "e\u0301"]],
])("brings nothing of a model with the files %j", async (titles) => {
  const volume = folderOfTest();
  const digest = await forged(titles);
  await expect(sync(volume, digest)).rejects.toThrow(userErrorWith("model-invalid", expect.anything()));
  expect(Object.values(contentsOf(volume))).not.toContain("content");
  expect(existsSync(join(volume, folderOf(digest)))).toBe(false);
});

it("writes to no place that a link in the volume leads to", async () => {
  const outside = folderWith({ "sub/f": "of others", other: "of others" });
  const digest = await push(folderWith({ "sub/f": "content", g: "content 2" }));
  const volume = folderOfTest();
  await sync(volume, digest);
  const folder = join(volume, folderOf(digest));
  rmSync(join(folder, "sub"), { recursive: true });
  symlinkSync(join(outside, "sub"), join(folder, "sub"));
  rmSync(join(folder, "g"));
  symlinkSync(join(outside, "other"), join(folder, "g"));
  await sync(volume, digest);
  expect(contentsOf(folder)).toEqual({ "sub/f": "content", g: "content 2" });
  expect(contentsOf(outside)).toEqual({ "sub/f": "of others", other: "of others" });
});

it("brings the newest version where none is named, by a link", async () => {
  const source = folderWith({ a: "1" });
  const one = await push(source);
  const volume = folderOfTest();
  const newest = [`--volume=${volume}`, `--model=${registry.host}/models/iris`];
  await syncModels(newest);
  expect(readlinkSync(join(volume, folderOf()))).toBe(`../${folderOf(one).replace("models/", "")}`);
  write(source, { a: "2" });
  await push(source);
  await syncModels(newest);
  expect(contentsOf(join(volume, folderOf()))).toEqual({ a: "2" });
  expect(contentsOf(join(volume, folderOf(one)))).toEqual({ a: "1" });
});

it("keeps the newest versions of models apart whose ids lie in one another", async () => {
  const ids = ["iris", "iris/small"];
  for (const id of ids) await push(folderWith({ [id.replace("/", "-")]: id }), id);
  for (const order of [ids, ids.toReversed()]) {
    const volume = folderOfTest();
    await syncModels([`--volume=${volume}`, ...order.map((id) => `--model=${registry.host}/models/${id}`)]);
    const found = ids.map((id) =>
      contentsOf(join(volume, modelFolder({ registry: registry.host, repository: `models/${id}` }))),
    );
    expect(found).toEqual([{ iris: "iris" }, { "iris-small": "iris/small" }]);
  }
});

it("removes versions that no service has named for a week, and says so", async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const source = folderWith({ a: "same", b: "1" });
  const one = await push(source);
  write(source, { b: "2" });
  const two = await push(source);
  write(source, { b: "3" });
  const three = await push(source);
  const volume = folderOfTest();
  const bring = (service: string, digest: Digest) =>
    syncModels([...argumentsFor(volume, digest), `--service=${service}`]);
  const isThere = () => [one, two, three].map((digest) => existsSync(join(volume, folderOf(digest))));
  /** As eight days later. */
  const age = () => {
    for (const name of ["web", "other"]) {
      const path = join(volume, "services/models", `${name}.json`);
      const use = JSON.parse(readFileSync(path, "utf8"));
      for (const folder of Object.keys(use.former))
        use.former[folder] = new Date(Date.now() - 8 * 86_400_000).toISOString();
      writeFileSync(path, JSON.stringify(use));
    }
    const files = join(volume, "files/sha256");
    for (const name of readdirSync(files)) utimesSync(join(files, name), 0, 0);
  };
  // Somebody else's, of whom nothing is known.
  await sync(volume, three);
  await bring("other", one);
  await bring("web", one);
  await bring("web", two);
  age();
  await bring("web", two);
  expect(isThere(), "the other service has it").toEqual([true, true, true]);
  await bring("other", two);
  await bring("web", two);
  expect(isThere(), "pods of before the update may still run").toEqual([true, true, true]);
  age();
  said.mockClear();
  await bring("web", two);
  expect(isThere()).toEqual([false, true, true]);
  expect(said.mock.calls.join("")).toContain(`${folderOf(one)}: removed, because no service has named it for 7 days\n`);
  const [, hex = ""] = one.split(":");
  expect(readdirSync(join(volume, "manifests/sha256")).filter((name) => name.startsWith(hex))).toEqual([]);
  expect(Object.values(contentsOf(join(volume, "files"))).sort()).toEqual(["2", "3", "same"]);
  await bring("web", one);
  expect(contentsOf(join(volume, folderOf(one)))).toEqual({ a: "same", b: "1" });
});

it("works once where two do it at the same time", async () => {
  const source = folderWith({ a: "1", b: "2", c: "3", ...many });
  const digest = await push(source);
  const volume = folderOfTest();
  const before = registry.log.length;
  const children = [start(volume, digest), start(volume, digest), start(volume, digest)];
  const ended = await Promise.all(
    children.map(async (child) => {
      const [said, [status]] = await Promise.all([
        text(child.stderr as NonNullable<typeof child.stderr>),
        once(child, "exit"),
      ]);
      return { said, status };
    }),
  );
  expect(ended.map(({ status }) => status)).toEqual([0, 0, 0]);
  expect(ended.filter(({ said }) => said.includes("nothing fetched"))).toHaveLength(2);
  const asked = registry.log.slice(before);
  expect(new Set(asked).size).toBe(asked.length);
  expect(contentsOf(join(volume, folderOf(digest)))).toEqual(contentsOf(source));
});

it("says what is wrong with its volume, its registry and what it is asked for", async () => {
  const digest: Digest = `sha256:${"0".repeat(64)}`;
  const volume = folderOfTest();
  await expect(sync(join(volume, "none"), digest)).rejects.toThrow(
    userErrorWith("file-unwritable", join(volume, "none")),
  );
  await expect(sync(volume, digest)).rejects.toThrow(userErrorWith("model-not-found", /\/models\/iris@sha256:0+$/));
  await expect(syncModels([`--volume=${volume}`, "--modle=x"])).rejects.toThrow();
});

it("says how much of a model is there while a registry is slow", { timeout: 60_000 }, async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const content = Buffer.alloc(4_000_000, "x");
  const digest = await push(folderWith({ "model.bin": content }));
  const told = () => said.mock.calls.join("").match(/: 1\.0 MB of 4\.0 MB fetched \(\d+ s\)\n/g) ?? [];
  registry.intervene = async ({ url, method }, response) => {
    if (method !== "GET" || !url?.endsWith(sha256(content))) return false;
    response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 1_000_000));
    await vi.waitUntil(() => told().length === 2, { timeout: 40_000, interval: 100 });
    response.end(content.subarray(1_000_000));
    return true;
  };
  await sync(folderOfTest(), digest);
  expect(new Set(told()).size).toBe(2);
});
