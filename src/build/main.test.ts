import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { sha256 } from "../oci/digest.ts";

const tool = fileURLToPath(new URL("main.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, "größe.txt"), "content\n".repeat(1000));
});

const layer = (name: string, source = "größe.txt") => [
  "layer",
  `--output=${name}.tar.gz`,
  `--metadata=${name}.layer.json`,
  `--packages=${name}.packages.json`,
  "--compression=gzip",
  "--comment=first party",
  JSON.stringify(["file", "app/größe.txt", source]),
  JSON.stringify(["symlink", "app/link", "größe.txt"]),
];
const read = (name: string) => readFileSync(join(folder, name));

function oneShot(args: readonly string[]) {
  writeFileSync(join(folder, "flags"), args.map((arg) => `${arg}\n`).join(""));
  return spawnSync(process.execPath, [tool, "@flags"], { cwd: folder, encoding: "utf8" });
}

/** A worker process, spoken to as Bazel does. */
class Worker {
  readonly process: ChildProcess;
  readonly #lines: Interface;
  readonly #output: AsyncIterator<string>;

  /** @param prefix words before the command */
  constructor(prefix: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    const [program = "", ...words] = [...prefix, process.execPath, tool, "--persistent_worker"];
    this.process = spawn(program, words, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    this.#output = this.#lines[Symbol.asyncIterator]();
  }

  send(...requests: (object | string)[]): void {
    const text = requests.map((request) => `${typeof request === "string" ? request : JSON.stringify(request)}\n`);
    this.process.stdin?.write(text.join(""));
  }

  async response(): Promise<{ exitCode: number; output: string; requestId: number }> {
    const { value } = await this.#output.next();
    return JSON.parse(value);
  }

  /** Makes one layer and gives what is known of it. */
  async make(args: readonly string[]): Promise<string> {
    this.send({ requestId: 1, arguments: args });
    expect(await this.response()).toMatchObject({ exitCode: 0, output: "" });
    return readFileSync(join(folder, (args[2] ?? "").slice("--metadata=".length)), "utf8");
  }

  /** Ends the input and gives the exit status. */
  async end(): Promise<number | null> {
    const exit = once(this.process, "exit");
    this.process.stdin?.end();
    const [status] = await exit;
    return status;
  }
}

describe("a layer", () => {
  const sources = () => readdirSync(folder).filter((name) => name.startsWith("source-"));
  const files = (name: string, compression: string) => [
    "layer",
    `--output=${name}`,
    `--metadata=${name}.layer.json`,
    `--packages=${name}.packages.json`,
    `--compression=${compression}`,
    ...sources().map((source) => JSON.stringify(["file", `app/${source}`, source])),
  ];

  beforeEach(() => {
    for (let index = 0; index < 40; index++) {
      writeFileSync(join(folder, `source-${index}`), `${index} ${Math.sqrt(index)} content\n`.repeat(2000 + index));
    }
    const large = Array.from({ length: 120_000 }, (_, index) => Math.sqrt(index));
    writeFileSync(join(folder, "source-large"), large.join("\n"));
  });

  it.each(["gzip", "zstd"])("compressed by %s is the same however and wherever it is made", async (compression) => {
    expect(oneShot(files("plain", compression))).toMatchObject({ status: 0 });
    const plain = read("plain.layer.json").toString();
    expect(plain).toContain(sha256(read("plain")));
    const worker = new Worker();
    const second = new Worker();

    // Nothing is known; everything is; of two workers at once each knows what it made itself.
    expect(await worker.make(files("cold", compression))).toBe(plain);
    rmSync(join(folder, "cold"));
    expect(await worker.make(files("cold", compression))).toBe(plain);
    expect(
      await Promise.all([worker, second].map((each, index) => each.make(files(`at-once-${index}`, compression)))),
    ).toEqual([plain, plain]);
    for (const name of ["cold", "at-once-0", "at-once-1"]) expect(read(name).equals(read("plain"))).toBe(true);

    // What is known was overwritten in place.
    for (const name of ["cold", "at-once-0"])
      writeFileSync(join(folder, name), Buffer.alloc(read(name).length, 7), { flag: "r+" });
    expect(await worker.make(files("after-corruption", compression))).toBe(plain);
    expect(read("after-corruption").equals(read("plain"))).toBe(true);

    // An edit, and back again.
    writeFileSync(join(folder, "source-7"), "edited\n");
    oneShot(files("edited", compression));
    expect(read("edited.layer.json").toString()).not.toBe(plain);
    expect(await worker.make(files("edited-by-worker", compression))).toBe(read("edited.layer.json").toString());
    writeFileSync(join(folder, "source-7"), `7 ${Math.sqrt(7)} content\n`.repeat(2007));
    expect(await worker.make(files("back", compression))).toBe(plain);

    // A worker is killed in the middle of its work, and another takes its place.
    worker.send({ requestId: 1, arguments: files("killed", compression) });
    const killed = once(worker.process, "exit");
    worker.process.kill("SIGKILL");
    await killed;
    const third = new Worker();
    expect(await third.make(files("killed", compression))).toBe(plain);
    await Promise.all([second.end(), third.end()]);

    // A process takes what another has left beside the layer.
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([".killed.kept", ".killed.segments"]));
    rmSync(join(folder, "killed"));
    writeFileSync(join(folder, "source-7"), "edited\n");
    oneShot(files("killed", compression));
    expect(read("killed").equals(read("edited"))).toBe(true);
  });

  it.each(["gzip", "zstd"])(
    "by %s is the same on one processor and with one thread as on many",
    async (compression) => {
      expect(oneShot(files("plain", compression))).toMatchObject({ status: 0 });
      const plain = read("plain.layer.json").toString();
      const workers = [
        new Worker(["taskset", "-c", "0"]),
        new Worker([], { UV_THREADPOOL_SIZE: "1" }),
        new Worker([], { UV_THREADPOOL_SIZE: "16" }),
      ];
      for (const [index, worker] of workers.entries()) {
        expect(await worker.make(files(`by-${index}`, compression))).toBe(plain);
        expect(await worker.end()).toBe(0);
      }
    },
  );
});

describe("the build tool", () => {
  it("writes the same bytes in one shot and as a worker that serves two requests at once", async () => {
    expect(oneShot(layer("once"))).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const worker = new Worker();
    worker.send({ requestId: 1, arguments: layer("one") }, { requestId: 2, arguments: layer("two") });
    const found = [await worker.response(), await worker.response()];
    expect(found.map(({ exitCode, output }) => [exitCode, output])).toEqual([
      [0, ""],
      [0, ""],
    ]);
    expect(found.map(({ requestId }) => requestId).sort()).toEqual([1, 2]);
    expect(await worker.end()).toBe(0);
    for (const extension of [".tar.gz", ".layer.json"]) {
      expect(read(`one${extension}`).equals(read(`once${extension}`))).toBe(true);
      expect(read(`two${extension}`).equals(read(`once${extension}`))).toBe(true);
    }
  });

  it("serves on after a request that failed and after one that was none", async () => {
    const worker = new Worker();
    worker.send({ requestId: 1, arguments: layer("bad", "missing.txt") });
    expect(await worker.response()).toEqual({
      exitCode: 2,
      output: expect.stringMatching(/missing\.txt[\s\S]*\[[a-z-]+\]\n$/),
      requestId: 1,
    });
    worker.send("nonsense");
    expect(await worker.response()).toMatchObject({ exitCode: 1, requestId: 0 });
    worker.send({ requestId: 2, arguments: layer("good") });
    expect(await worker.response()).toEqual({ exitCode: 0, output: "", requestId: 2 });
    expect(await worker.end()).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["good.layer.json", "good.packages.json", "good.tar.gz", "größe.txt"]);
  });

  it("names what is wrong on standard error, exits with 2 and leaves nothing", () => {
    const { status, stdout, stderr } = oneShot(layer("bad", "missing.txt"));
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/missing\.txt[\s\S]*\[[a-z-]+\]\n$/);
    expect(readdirSync(folder).sort()).toEqual(["flags", "größe.txt"]);
  });

  it("says so when there is no room, and leaves nothing", () => {
    const big = layer("big").map((arg) => (arg.startsWith("--compression") ? "--compression=none" : arg));
    writeFileSync(join(folder, "flags"), big.join("\n"));
    // A limit on the size of files stands for a full disk; the signal that comes with it would end the process.
    const script = `trap "" XFSZ; ulimit -f 4; exec "${process.execPath}" "${tool}" @flags`;
    const { status, stderr } = spawnSync("sh", ["-c", script], { cwd: folder, encoding: "utf8" });
    expect(stderr).toMatch(/big\.tar\.gz[\s\S]*\[file-unwritable\]/);
    expect(status).toBe(1);
    expect(readdirSync(folder).sort()).toEqual(["flags", "größe.txt"]);
  });

  it.each([
    [["frobnicate"], '"frobnicate"'],
    [[], '""'],
    [["toString"], '"toString"'],
    [["layer", "--output=x"], "--compression"],
    [["layer", "--output=x", "--metadata=y", "--packages=z", "--compression=best"], "--compression=best"],
    [["layer", "--output=x", "--metadata=y", "--packages=z", "--compression=gzip", '["file","a"]'], '["file","a"]'],
    [["layer", "--output=x", "--metadata=y", "--packages=z", "--compression=gzip", '["fifo","a"]'], '["fifo","a"]'],
    [
      ["layer", "--output=x", "--metadata=y", "--packages=z", "--compression=gzip", '["directory","a",{"mtime":1}]'],
      '{"mtime":1}]',
    ],
    [
      ["layer", "--output=x", "--metadata=y", "--packages=z", "--compression=gzip", '["file","a","b",{"mode":"0600"}]'],
      '{"mode":"0600"}]',
    ],
  ])("refuses %j", (args, culprit) => {
    const { status, stderr } = oneShot(args);
    expect(stderr).toContain("[command-line-invalid]");
    expect(stderr).toContain(culprit);
    expect(status).toBe(2);
  });

  it("ends when it is told to, as a worker and with the status of the signal", async () => {
    const worker = new Worker();
    worker.send({ requestId: 1, arguments: layer("one") });
    await worker.response();
    const exit = once(worker.process, "exit");
    worker.process.kill("SIGTERM");
    expect(await exit).toEqual([143, null]);
  });
});
