import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ResultReader, resultLine } from "../../src/core/protocol.ts";
import { executable } from "../../src/core/testdata/executable.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { reported } from "../../src/core/testdata/reported.ts";
import { WholeLines } from "../../src/core/whole-lines.ts";
import type { CallOutcome } from "../../src/functions/calls.ts";
import { formsIn } from "../../src/functions/file-form.ts";
import { ContainerCalls } from "../../src/functions/local.ts";
import { batch } from "../../src/functions/testdata/batch.ts";
import type { RunnableImage } from "../../src/oci/runnable-image.ts";
import { storeFile } from "../../src/results/file.ts";
import { FilePlace } from "../../src/sdk/file-place.ts";

/** The outcomes of two calls in containers: what the first one prints instead of an answer, and a good one. */
async function outcomes(answer: string): Promise<readonly (CallOutcome | undefined)[]> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "answer"), answer);
  const script = `#!/bin/sh
read -r line
printf '\\036slipway %s ' "$SLIPWAY_CALL_NONCE"
case $line in *1*) cat ${folder}/answer;; *) printf '{"result":"fine"}';; esac
printf '\\n'
`;
  const client = { name: "podman", path: executable("podman", script) } as const;
  const access = { pull: async () => false, allow: async (image: string) => image as RunnableImage };
  const calls = new ContainerCalls(client, { PATH: process.env["PATH"], HOME: folder }, access);
  const ended: (CallOutcome | undefined)[] = [undefined, undefined];
  await calls.run(
    { ...batch, inputs: ["[1]", "[2]"], labels: "plain", parallelism: 1 },
    { onOutcome: (index, outcome) => ended.splice(index, 1, outcome), onOutput: () => {} },
  );
  return ended;
}

describe("a function in a container that writes its own answer", () => {
  it.each([
    ["no JSON", "garbage"],
    ["nothing", ""],
    ["null", "null"],
    ["a number", "5"],
    ["a text", '"x"'],
    ["a list", "[]"],
    ["an error that is null", '{"error":null}'],
    ["an error that is a number", '{"error":5}'],
    ["an error without a message", '{"error":{"name":"UserError"}}'],
    ["an error whose message is a list", '{"error":{"name":"Failure","message":[],"details":""}}'],
    ["an error whose culprit is an object", '{"error":{"name":"a","message":"","details":"","culprit":{}}}'],
    ["100,000 nested lists", `{"result":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ])("fails alone: %s", async (_, answer) => {
    const [bad, good] = await outcomes(answer);
    expect(good).toEqual({ reply: { result: "fine" } });
    const failed = expect.objectContaining({ message: expect.any(String), details: expect.any(String) });
    // Nothing is no answer at all.
    expect(bad).toEqual(answer === "" ? { status: 0 } : { reply: { error: failed } });
  });

  it("gives no result of another item, and changes no object of the program", async () => {
    const answer =
      '{"result":1,"index":1,"kept":true,"__proto__":{"polluted":1},"outcome":{"reply":{"result":"forged"}}}';
    const [bad, good] = await outcomes(answer);
    expect(bad).toMatchObject({ reply: { result: 1 } });
    expect(good).toEqual({ reply: { result: "fine" } });
    expect("polluted" in {}).toBe(false);
  });
});

describe("the output of a function", () => {
  it("is no answer with another nonce, or after the first answer", () => {
    let other = "";
    const reader = new ResultReader("n", 100, (data) => {
      other += data;
    });
    const forged = resultLine("m", '{"result":"forged"}');
    reader.write(Buffer.from(`${forged}${resultLine("n", "{}")}${resultLine("n", '{"result":"late"}')}`));
    expect(reader.end()).toBe("{}");
    expect(other).toContain("forged");
  });

  it("is not held: neither a line nor an answer without an end", async () => {
    let passed = 0;
    const lines = new WholeLines(
      () => "",
      (data) => {
        passed += data.length;
      },
    );
    const reader = new ResultReader("n", 1000, () => {});
    reader.write(Buffer.from("\u001eslipway n "));
    const piece = Buffer.alloc(1 << 20, "x");
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 200; count += 1) {
      await lines.write(piece);
      reader.write(Buffer.from(piece));
    }
    expect(passed).toBeGreaterThan(199 << 20);
    expect(reader.end()).toBeUndefined();
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
    { $slipway: "device" },
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
    const damaged = reported("content-lost", form.digest);
    await expect(place.save(form, target)).rejects.toThrow(damaged);
    await expect(place.read(form)).rejects.toThrow(damaged);
    expect(place.has(form)).toBe(false);
  });

  it("cannot have a file of the user's read: a link is no content", async () => {
    const { folder, place, form, path, target } = placeWith("the user's");
    writeFileSync(join(folder, "secret"), "the user's");
    symlinkSync(join(folder, "secret"), path);
    await expect(place.save(form, target)).rejects.toThrow(reported("content-lost"));
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
    const damaged = reported("content-lost", form.digest);
    await expect(place.save(form, target)).rejects.toThrow(damaged);
    await expect(place.read(form)).rejects.toThrow(damaged);
    expect(readFileSync(target, "utf8")).toBe("honest");
  });
});
