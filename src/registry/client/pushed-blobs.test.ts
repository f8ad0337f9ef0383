import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../oci/digest.ts";
import { pushedBlobsIn } from "./pushed-blobs.ts";

let state: string;
let folder: string;
let time: number;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "pushed-"));
  folder = join(state, "slipway/pushed-blobs");
  time = 1_700_000_000_000;
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const open = () => pushedBlobsIn({ XDG_STATE_HOME: state }, () => time);
const digestOf = (text: string | number) => sha256(Buffer.from(String(text)));
const account = "https://registry.example.com ci";
const [one, two] = [digestOf(1), digestOf(2)];
const day = 24 * 3_600_000;
const fileOf = (repositories: object) => JSON.stringify({ version: 2, repositories });

function remember(repository: string, ...digests: string[]): void {
  const memory = open();
  memory.add(account, repository, digests);
  memory.save();
}

/** The only file that there is. */
function file(): string {
  const [name, ...more] = readdirSync(folder);
  expect(more).toEqual([]);
  return join(folder, name as string);
}

describe("the memory of pushed blobs", () => {
  it("tells the repository that had a blob last, and nobody else's", () => {
    remember("team/a", one, two);
    remember("team/b", two);
    const memory = open();
    expect([one, two, digestOf(3)].map((digest) => memory.find(account, digest))).toEqual([
      "team/a",
      "team/b",
      undefined,
    ]);
    for (const other of ["https://registry.example.com other", "https://elsewhere.example.com ci"]) {
      expect(memory.find(other, one)).toBeUndefined();
    }
  });

  it("knows the blobs of a repository for a day", () => {
    remember("team/a", one);
    remember("team/b", one, two);
    time += day - 1;
    remember("team/b", two);
    time += 1;
    const memory = open();
    expect(["team/a", "team/b"].map((repository) => [...memory.seenIn(account, repository)])).toEqual([[], [two]]);
    expect(memory.find(account, one)).toBeDefined();
    expect(memory.seenIn("https://registry.example.com other", "team/b").size).toBe(0);
  });

  it("forgets a repository, and keeps what is added after that", () => {
    remember("team/a", one, two);
    remember("team/b", one);
    const memory = open();
    memory.forget(account, "team/a");
    expect(memory.seenIn(account, "team/a").size).toBe(0);
    memory.add(account, "team/a", [two]);
    memory.save();
    expect([...open().seenIn(account, "team/a")]).toEqual([two]);
    expect(open().find(account, one)).toBe("team/b");
  });

  it("knows for a day whether a repository refuses manifests", () => {
    const memory = open();
    expect(memory.refusesUnknown(account, "team/a")).toBeUndefined();
    memory.noteRefusal(account, "team/a", true);
    memory.noteRefusal(account, "team/b", false);
    memory.save();
    remember("team/a", one);
    const refusals = () => ["team/a", "team/b"].map((repository) => open().refusesUnknown(account, repository));
    expect(refusals()).toEqual([true, false]);
    time += day;
    expect(refusals()).toEqual([undefined, undefined]);
  });

  it("is for the user alone, and has neither users nor registries in it", () => {
    remember("team/a", one);
    expect([statSync(folder).mode & 0o777, statSync(file()).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(`${file()} ${readFileSync(file(), "utf8")}`).not.toMatch(/registry\.example|ci\b/);
  });

  it("writes nothing where nothing was added", () => {
    open().save();
    expect(open().find(account, one)).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
  });

  it("keeps what two launchers write at the same time", () => {
    const [mine, theirs] = [open(), open()];
    for (const memory of [mine, theirs]) expect(memory.find(account, one)).toBeUndefined();
    mine.add(account, "team/a", [one]);
    theirs.add(account, "team/b", [two]);
    mine.save();
    theirs.save();
    expect([one, two].map((digest) => open().find(account, digest))).toEqual(["team/a", "team/b"]);
    expect(readdirSync(folder).length).toBe(1);
  });

  it("forgets what was seen longest ago, beyond 2000 blobs and 30 days", () => {
    remember("team/a", one);
    time += 1;
    remember("team/b", ...Array.from({ length: 1999 }, (_, index) => digestOf(`b${index}`)));
    expect(open().find(account, one)).toBe("team/a");
    time += 1;
    remember("team/c", two);
    expect([one, two].map((digest) => open().find(account, digest))).toEqual([undefined, "team/c"]);
    expect(statSync(file()).size).toBeLessThan(256_000);
    time += 30 * day;
    expect(open().find(account, two)).toBeUndefined();
  });

  it("removes the files of registries that nothing was pushed to for long", () => {
    remember("team/a", one);
    const old = file();
    utimesSync(old, 0, 0);
    const memory = open();
    time = Date.now();
    memory.add("https://elsewhere.example.com ci", "team/a", [one]);
    memory.save();
    expect(file()).not.toBe(old);
  });

  it.each([
    ["no JSON", "{"],
    ["of another version", JSON.stringify({ version: 1, blobs: { [one]: ["team/a", 1_700_000_000_000] } })],
    ["with a repository that is none", fileOf({ "../x?y": { blobs: { [one]: 1_700_000_000_000 } } })],
    ["with entries of another form", fileOf({ "team/a": { blobs: { [one]: "today" } } })],
    ["with a blob that is none", fileOf({ "team/a": { blobs: { one: 1_700_000_000_000 } } })],
    ["with a blob of the future", fileOf({ "team/a": { blobs: { [one]: 1_800_000_000_000 } } })],
    ["with a damaged repository", fileOf({ "team/a": { blobs: { [one]: 1_700_000_000_000 } }, "team/b": null })],
    ["without entries", JSON.stringify({ version: 2, repositories: null })],
  ])("that is %s is taken for empty, and made anew", (_, text) => {
    remember("team/a", one);
    writeFileSync(file(), text);
    expect(open().find(account, one)).toBeUndefined();
    remember("team/a", two);
    expect(open().find(account, two)).toBe("team/a");
  });

  it("that cannot be written is no error", () => {
    writeFileSync(join(state, "slipway"), "");
    remember("team/a", one);
    expect(open().find(account, one)).toBeUndefined();
  });
});
