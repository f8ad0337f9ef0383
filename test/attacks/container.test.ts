import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { executable } from "../../src/core/testdata/executable.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { failureWith } from "../../src/core/testdata/reported.ts";
import { WholeLines } from "../../src/core/whole-lines.ts";
import { ContainerWorkers } from "../../src/functions/container-workers.ts";
import { formsIn } from "../../src/functions/file-form.ts";
import { FrameReader } from "../../src/functions/frames.ts";
import { callAll } from "../../src/functions/testdata/batch.ts";
import { storeFile } from "../../src/results/file.ts";
import { FilePlace } from "../../src/sdk/file-place.ts";

/** The outcomes of two calls in containers: of a worker that sends this in place of its first reply, and a good one. */
async function outcomes(...answers: readonly (string | readonly [header: object, body: string])[]) {
  const folder = temporaryFolder();
  const raw = answers.map((each) => {
    if (typeof each === "string") return each;
    return `${JSON.stringify({ ...each[0], sizes: [Buffer.byteLength(each[1])] })}\n${each[1]}`;
  });
  writeFileSync(join(folder, "answer"), raw.join(""));
  const script = `#!${process.execPath}
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const isBad = !existsSync("${folder}/was-bad");
writeFileSync("${folder}/was-bad", "");
process.stdin.on("data", (data) => {
  for (const line of String(data).split("\\n")) {
    const [, id] = /"type":"call","id":(\\d+)/.exec(line) ?? [];
    if (line.includes('"attach"')) console.log('{"type":"hello","protocol":1,"functions":["f"],"received":0,"replies":0}');
    if (id && isBad) process.stdout.write(readFileSync("${folder}/answer"));
    else if (id) console.log(\`{"type":"result","id":\${id},"sizes":[6]}\\n"fine"\`);
  }
});
`;
  const client = { name: "podman", path: executable("podman", script) } as const;
  const workers = new ContainerWorkers(client, { PATH: process.env["PATH"], HOME: folder }, undefined);
  return (await callAll(workers, [[1], [2]], { parallelism: 1 })).outcomes;
}

describe("a container that speaks to the helper itself", () => {
  it.each([
    ["no JSON", "garbage\n"],
    ["null", "null\n"],
    ["a header without a type", "{}\n"],
    ["a header without an end", `{"type":"${"x".repeat(100_000)}`],
    ["negative sizes", '{"type":"result","id":1,"sizes":[-1]}\n'],
    ["more bytes than may come", '{"type":"result","id":1,"sizes":[1e15]}\n'],
    [
      "sizes whose sum is none",
      `{"type":"result","id":1,"sizes":[${Array(20).fill(Number.MAX_SAFE_INTEGER).join()}]}\n`,
    ],
    ["sizes that are a text", '{"type":"result","id":1,"sizes":"1"}\n'],
  ])("fails alone: %s", async (_, answer) => {
    const [bad, good] = await outcomes(answer);
    expect(good).toEqual({ value: "fine" });
    expect(bad).toMatchObject({ error: { code: "function-failed", culprit: "f" } });
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "garbage"],
    ["null", "null"],
    ["a list", "[]"],
    ["an error without a message", '{"name":"UserError"}'],
    ["an error whose message is a list", '{"name":"Failure","message":[],"details":""}'],
    ["an error whose culprit is an object", '{"name":"a","message":"","details":"","culprit":{}}'],
  ])("fails alone with an error that is none: %s", async (_, body) => {
    const [bad, good] = await outcomes([{ type: "error", id: 1 }, body], [{ type: "result", id: 2 }, '"fine"']);
    expect(good).toEqual({ value: "fine" });
    expect(bad).toMatchObject({ error: { name: "Failure", message: expect.stringContaining("damaged") } });
  });

  it("replies neither twice, nor for calls that it was not given", async () => {
    const frames = [
      [{ type: "revoked", ids: [7, "1", null] }, ""],
      [{ type: "revoked", ids: 5 }, ""],
      [{ type: "started", ids: { length: 1e9 } }, ""],
      [{ type: "output", id: 99 }, "x"],
      [{ type: "result", id: 99 }, '"forged"'],
      [{ type: "result", id: 1, index: 1, batch: 2, kept: true, __proto__: { polluted: 1 } }, "1"],
      [{ type: "result", id: 1 }, '"late"'],
      [{ type: "hello", received: "x", replies: -1e300 }, ""],
      [{ type: "result", id: 2 }, '"fine"'],
    ] as const;
    expect(await outcomes(...frames)).toEqual([{ value: 1 }, { value: "fine" }]);
    expect("polluted" in {}).toBe(false);
  });
});

describe("the output of a function", () => {
  it("is not held: neither a line nor an answer without an end", async () => {
    let passed = 0;
    const lines = new WholeLines(
      () => "",
      (data) => {
        passed += data.length;
      },
    );
    const reader = new FrameReader(() => {});
    reader.write(Buffer.from('{"type":"result","id":1,"sizes":[104857600]}\n'));
    const piece = Buffer.alloc(1 << 20, "x");
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 200; count += 1) {
      await lines.write(piece);
      if (count < 90) reader.write(Buffer.from(piece));
    }
    expect(passed).toBeGreaterThan(199 << 20);
    global.gc?.();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150 << 20);
  });
});

const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}` as const;
const nowhere = { fetch: async () => Promise.reject(new Error("nobody has it")) };

describe("a handle of a file", () => {
  const good = { $slipway: "file", digest: digestOf("a"), size: 1, name: "a" };

  it("names neither a repository, nor an address, nor a path", () => {
    const more = { image: "other.example.com/secret", repository: "secret", url: "https://a", path: "/etc/passwd" };
    expect(formsIn(JSON.stringify({ ...good, ...more }))).toEqual([
      { kind: "file", digest: good.digest, size: 1, name: "a" },
    ]);
  });

  it.each([
    { name: "../a" },
    { name: "/etc/passwd" },
    { name: ".." },
    { name: "a\0b" },
    { digest: "sha256:../../../../etc/passwd" },
    { digest: `sha512:${"0".repeat(128)}` },
    { size: -1 },
    { size: 1e300 },
  ])("is refused with %j", (change) => {
    expect(() => formsIn(JSON.stringify({ ...good, ...change }))).toThrow(RangeError);
  });
});

describe("a container that has the folder of files", () => {
  function placeWith(text: string) {
    const folder = temporaryFolder();
    const files = join(folder, "files");
    mkdirSync(files);
    const content = { digest: digestOf(text), size: Buffer.byteLength(text) };
    const place = new FilePlace(files, nowhere);
    const form = { kind: "file", name: "a", ...content } as const;
    return { folder, place, content, form, path: place.pathOf(content), target: join(folder, "out") };
  }

  it("cannot make the program wait: a pipe is no content", async () => {
    const { place, form, path, target } = placeWith("a");
    execFileSync("mkfifo", [path]);
    const damaged = failureWith("content-lost", form.digest);
    await expect(place.save(form, target)).rejects.toThrow(damaged);
    await expect(place.read(form)).rejects.toThrow(damaged);
    expect(place.has(form)).toBe(false);
  });

  it("cannot have a file of the user's read: a link is no content", async () => {
    const { folder, place, form, path, target } = placeWith("the user's");
    writeFileSync(join(folder, "secret"), "the user's");
    symlinkSync(join(folder, "secret"), path);
    await expect(place.save(form, target)).rejects.toThrow(failureWith("content-lost"));
    expect(place.has(form)).toBe(false);
    expect(existsSync(target)).toBe(false);
  });

  it("cannot have a file of the user's sent to a registry", async () => {
    const { folder, content, path } = placeWith("the user's");
    writeFileSync(join(folder, "secret"), "the user's");
    symlinkSync(join(folder, "secret"), path);
    let sent = "";
    const client = {
      registry: "r.example.com",
      headManifest: async () => undefined,
      headBlob: async () => undefined,
      pushBlob: async ({ open }: { open: (start: number, end: number) => AsyncIterable<Buffer> }) => {
        for await (const piece of open(0, content.size)) sent += piece;
      },
      putManifest: async () => {},
    };
    await expect(storeFile({ client, repository: "a" } as never, content, path)).rejects.toThrow("ELOOP");
    expect(sent).toBe("");
  });

  it.each([
    [
      "replaced",
      (path: string) => {
        writeFileSync(`${path}.new`, "forged");
        renameSync(`${path}.new`, path);
      },
    ],
    ["changed in place", (path: string) => writeFileSync(path, "forged")],
    [
      "without an end",
      (path: string) => {
        rmSync(path);
        symlinkSync("/dev/zero", path);
      },
    ],
  ])("cannot forge what was checked before: content is %s", async (_, change) => {
    const { place, form, path, target } = placeWith("honest");
    writeFileSync(path, "honest");
    await place.save(form, target);
    change(path);
    const damaged = failureWith("content-lost", form.digest);
    await expect(place.save(form, target)).rejects.toThrow(damaged);
    await expect(place.read(form)).rejects.toThrow(damaged);
    expect(readFileSync(target, "utf8")).toBe("honest");
  });
});
