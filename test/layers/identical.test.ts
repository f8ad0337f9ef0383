import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

// The tool as Bazel starts it: by request in a worker that lives on, or once per layer.
const tool = fileURLToPath(new URL("../../src/build/main.ts", import.meta.url));
const command = [process.execPath, "--disable-warning=ExperimentalWarning", tool];

const folder = mkdtempSync(join(tmpdir(), "identical-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Numbers that do not compress away, the same in every run. */
function text(seed: number, lines: number): string {
  let state = seed + 1;
  return Array.from({ length: lines }, () => {
    state = (Math.imul(state, 48271) >>> 0) % 2147483647;
    return `const value${state} = ${state * 7};\n`;
  }).join("");
}

const paths = Array.from({ length: 60 }, (_, index) => `files/${index % 7}/${index}.js`);
const edited = "files/3/24.js";

/** Several segments of 1 MiB, of small files and of one that is larger than a segment. */
beforeAll(() => {
  for (const [index, path] of paths.entries()) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text(index, index === 40 ? 90_000 : 2000));
  }
});

function edit(version: string): void {
  writeFileSync(join(folder, edited), `${version}\n${text(24, 2000)}`);
}

const compressions = ["gzip", "zstd"] as const;
type Compression = (typeof compressions)[number];

/** What is asked of the tool, its output under `name`. */
function request(name: string, compression: Compression): string[] {
  return [
    "layer",
    `--output=${name}`,
    `--metadata=${name}.json`,
    `--compression=${compression}`,
    ...paths.map((path) => JSON.stringify(["file", `app/${path}`, path])),
  ];
}

/** The plain path: a process per layer, nothing remembered. @param prefix a command that starts it */
function plainLayer(name: string, compression: Compression, prefix: readonly string[] = []): Buffer {
  writeFileSync(join(folder, `${name}.flags`), `${request(name, compression).join("\n")}\n`);
  const [program = "", ...args] = [...prefix, ...command, `@${name}.flags`];
  execFileSync(program, args, { cwd: folder });
  return readFileSync(join(folder, name));
}

class Worker {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #id = 0;

  constructor() {
    const [program = "", ...args] = [...command, "--persistent_worker"];
    this.#process = spawn(program, args, { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    onTestFinished(() => void this.#process.kill("SIGKILL"));
  }

  send(name: string, compression: Compression): void {
    const line = { requestId: ++this.#id, arguments: request(name, compression), inputs: [] };
    this.#process.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  async layer(name: string, compression: Compression): Promise<Buffer> {
    this.send(name, compression);
    const { value } = await this.#lines.next();
    expect(JSON.parse(value)).toMatchObject({ exitCode: 0, output: "" });
    return readFileSync(join(folder, name));
  }

  async kill(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}

const same = (one: Buffer, other: Buffer) => expect(one.equals(other)).toBe(true);

describe.each(compressions)("a layer compressed by %s has the bytes of the plain path", (compression) => {
  it("by a cold worker, a warm one, and after edits there and back", async () => {
    const worker = new Worker();
    for (const version of ["one", "two", "one", "three"]) {
      edit(version);
      const plain = plainLayer("plain", compression);
      same(await worker.layer("out", compression), plain);
      same(await worker.layer("out", compression), plain);
    }
  });

  it("by a worker whose predecessor was killed while it wrote", async () => {
    edit("killed");
    const plain = plainLayer("plain", compression);
    const first = new Worker();
    await first.layer("out", compression);
    edit("killed later");
    first.send("out", compression);
    await first.kill();
    edit("killed");
    same(await new Worker().layer("out", compression), plain);
  });

  it("where the layer that it remembers was damaged", async () => {
    edit("damaged");
    const plain = plainLayer("plain", compression);
    const worker = new Worker();
    same(await worker.layer("out", compression), plain);
    const path = join(folder, "out");
    const { size } = statSync(path);
    chmodSync(path, 0o644);
    const file = openSync(path, "r+");
    for (let at = 100; at < size; at += 5000) writeSync(file, "damage", at);
    same(await worker.layer("again", compression), plain);
  });

  it("by two workers at once", async () => {
    edit("two");
    const plain = plainLayer("plain", compression);
    const workers = [new Worker(), new Worker()];
    const layers = await Promise.all(workers.map((worker, index) => worker.layer(`out${index}`, compression)));
    for (const layer of layers) same(layer, plain);
  });

  it.runIf(spawnSync("taskset", ["-c", "0", "true"]).status === 0)("on one core", () => {
    edit("cores");
    same(plainLayer("one", compression, ["taskset", "-c", "0"]), plainLayer("plain", compression));
  });
});
