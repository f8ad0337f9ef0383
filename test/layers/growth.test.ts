import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const tool = fileURLToPath(new URL("../../src/build/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "growth-"));
// A hundred thousand files take their time to go, too.
afterAll(() => rmSync(folder, { recursive: true, force: true }), 600_000);

// What a process used at most, in KiB, is told when it ends.
const measure = `data:text/javascript,process.on("exit",()=>process.stderr.write("maxrss "+process.resourceUsage().maxRSS+"\\n"))`;

interface Cost {
  readonly seconds: number;
  /** MiB. */
  readonly memory: number;
}

/** Makes a layer with the tool, as Bazel starts it without a worker. @param files source by path in the image */
function makeLayer(files: Iterable<readonly [string, string]>): Cost {
  const lines = [
    "layer",
    "--output=layer.tar.gz",
    "--metadata=layer.json",
    "--packages=packages.json",
    "--compression=gzip",
  ];
  for (const [path, source] of files) lines.push(JSON.stringify(["file", path, source]));
  writeFileSync(join(folder, "flags"), `${lines.join("\n")}\n`);
  const start = performance.now();
  // The options of NODE_TOOL_FLAGS in bazel/private/ts/ts_tool.bzl.
  const flags = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=1", "--import", measure];
  const { status, stderr } = spawnSync(process.execPath, [...flags, tool, "@flags"], { cwd: folder, encoding: "utf8" });
  expect(stderr).toMatch(/^maxrss \d+$/m);
  expect(status, stderr).toBe(0);
  return { seconds: (performance.now() - start) / 1000, memory: Number(/maxrss (\d+)/.exec(stderr)?.[1]) / 1024 };
}

/** Packs a folder as people do. */
function tarAndGzip(name: string): number {
  const start = performance.now();
  const { status } = spawnSync("sh", ["-c", 'tar --create "$1" | gzip -6 >packed.tar.gz', "sh", name], { cwd: folder });
  expect(status).toBe(0);
  return (performance.now() - start) / 1000;
}

function report(what: string, cost: Cost, other = ""): void {
  process.stderr.write(`${what}: ${cost.seconds.toFixed(2)} s, ${cost.memory.toFixed(0)} MiB${other}\n`);
}

/** Writes files of 1 KiB of text, no two the same. */
function writeFiles(count: number): [string, string][] {
  const files: [string, string][] = [];
  for (let index = 0; index < count; index++) {
    const path = `files-${count}/${index % 1000}/${index}.txt`;
    if (index < 1000) mkdirSync(join(folder, `files-${count}/${index}`), { recursive: true });
    writeFileSync(join(folder, path), `file ${index} ${Math.sqrt(index)} `.repeat(50).slice(0, 1024));
    files.push([`app/${path}`, path]);
  }
  return files;
}

describe("a layer", () => {
  it("takes time in proportion to the number of its files", { timeout: 1_200_000 }, () => {
    const few = writeFiles(1000);
    const many = writeFiles(100_000);
    makeLayer(few);
    const base = makeLayer(few);
    const cost = makeLayer(many);
    const peer = tarAndGzip("files-100000");
    report("1,000 files of 1 KiB", base);
    report(
      "100,000 files of 1 KiB",
      cost,
      `; tar | gzip -6: ${peer.toFixed(2)} s, ratio ${(cost.seconds / peer).toFixed(2)}`,
    );
    expect(cost.seconds).toBeLessThan(120 * base.seconds);
    // About 1.7 for files this small, where opening them is most of the work. Other work on the machine may disturb one
    // of the two.
    expect(cost.seconds).toBeLessThan(4 * peer);

    // As many files with forty times the content.
    writeFileSync(join(folder, "text"), "a file of 40 KiB\n".repeat(2410));
    const larger = makeLayer(many.map(([path]) => [path, "text"]));
    report("100,000 files of 40 KiB", larger);
    expect(larger.memory).toBeLessThan(cost.memory + 40);
    expect(cost.memory).toBeLessThan(400);
  });

  it("takes the same memory for a file of 3 GB as for one of 10 MB", { timeout: 1_200_000 }, () => {
    const costs = [10, 100, 3000].map((size) => {
      const path = join(folder, `file-${size}`);
      closeSync(openSync(path, "w"));
      truncateSync(path, size * 1e6);
      const cost = makeLayer([["app/file", path]]);
      report(`one file of ${size} MB`, cost);
      rmSync(path);
      return cost;
    });
    const metadata = JSON.parse(readFileSync(join(folder, "layer.json"), "utf8")) as { size: number };
    expect(metadata.size).toBe(statSync(join(folder, "layer.tar.gz")).size);
    const [small, medium, large] = costs.map(({ memory }) => memory) as [number, number, number];
    // A large file has a thread that hashes it, and V8 leaves the buffers of some 64 segments to its garbage collector:
    // 90 MiB from 3 to 10 GB.
    expect(medium).toBeLessThan(small + 160);
    expect(large).toBeLessThan(small + 160);
    // 30 times the bytes of the second.
    expect((costs[2] as Cost).seconds).toBeLessThan(60 * (costs[1] as Cost).seconds);
  });
});
