import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { helperOfTest } from "../../functions/testdata/helper.ts";

const helper = helperOfTest();

/** Path of the program, in the repository. */
export const filesProgram = "src/sdk/testdata/files-program.ts";

/** The digest of a text. */
export const digestOf = (content: string | Buffer) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** A folder of a test's own. */
export function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a scenario of a program to its end, after which nothing is left of the content of files. */
export async function runFiles(
  scenario: string,
  env: Record<string, string>,
  [command, ...words]: readonly [string, ...string[]] = [process.execPath, filesProgram],
) {
  const cache = folderOfTest();
  const home = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", XDG_CACHE_HOME: cache };
  const child = spawn(command, [...words, scenario], {
    env: { ...home, SLIPWAY_ENGINE_HELPER: helper, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const files = join(cache, "slipway/files");
  // The helper removes it after the program.
  const left = () => (existsSync(files) ? readdirSync(files) : []);
  await expect.poll(left, { timeout: 30_000 }).toEqual([]);
  return { out, err, status, result: out === "" ? undefined : JSON.parse(out) };
}

/** Cases of files that hold on every engine. @param envOf variables that choose the engine */
export function describeFiles(where: string, envOf: () => Record<string, string>): void {
  describe(`files of functions in ${where}`, () => {
    it("come back from a function, nested in its result", async () => {
      const folder = folderOfTest();
      // Paths of the program are relative to where the user is, those of a function to its own folder.
      const { result, err } = await runFiles("result", { ...envOf(), BUILD_WORKING_DIRECTORY: folder, OUT: "out" });
      expect(result, err).toEqual({ note: "written", name: "model.bin", size: 5, digest: digestOf("hello"), bytes: "hello" });
      expect(readFileSync(join(folder, "out/deep/saved.bin"), "utf8")).toBe("hello");
      expect(readdirSync(join(folder, "out/deep"))).toEqual(["saved.bin"]);
    });

    it("go to a function, by name, and on to others", async () => {
      const BUILD_WORKING_DIRECTORY = folderOfTest();
      const DATA = join(BUILD_WORKING_DIRECTORY, "data.csv");
      writeFileSync(DATA, "a,b\n1,2\n");
      const { result } = await runFiles("argument", { ...envOf(), BUILD_WORKING_DIRECTORY, DATA: "data.csv" });
      const [content, digest] = [{ text: "a,b\n1,2\n", same: true, size: 8 }, digestOf("a,b\n1,2\n")];
      expect(result).toEqual({ ...content, digest, name: "data.csv", base: "data.csv" });
      expect((await runFiles("chain", envOf())).result).toMatchObject({ text: "chained", name: "c.txt" });
      expect((await runFiles("map", { ...envOf(), DATA })).result).toEqual(["a,b\n1,2\n", "a,b\n1,2\n", "large"]);
      expect((await runFiles("nested", { ...envOf(), DATA })).result).toEqual(["a,b\n1,2\n", "inner"]);
    });

    it("may be folders, with links, names of all kinds, and what is executable", async () => {
      const OUT = folderOfTest();
      const { result, err } = await runFiles("folder", { ...envOf(), OUT });
      const files = ["größe.txt", "sub", "sub/empty", "sub/link", "sub/run.sh"];
      expect(result, err).toMatchObject({ files, link: "12", isExecutable: true, base: "tree", name: "tree" });
      // As in python/tests/files_test.py: both give the same bytes.
      expect(result.digest).toBe("sha256:f44017b684c47181737295ad655100b56a0ccef8eefa3378fdb2aeb0397b59f0");
      const again = await runFiles("ownFolder", { ...envOf(), DATA: join(OUT, "tree") });
      expect(again.result).toMatchObject({ files, link: "12", isExecutable: true, base: "tree" });
    });

    it("carry arguments and results that are too long for JSON", async () => {
      const size = 20 * 1024 * 1024;
      expect((await runFiles("large", envOf())).result).toEqual([size, size]);
      expect((await runFiles("largeMap", envOf())).result).toEqual([size, 1]);
    });

    it("are not what only looks like one", async () => {
      const value = { $slipway: "file", digest: "x", deep: [{ $slipway: "object", value: 1 }] };
      expect((await runFiles("like", envOf())).result).toEqual(value);
    });

    it.each([
      ["missing", "file-unreadable", "/tmp/nothing does not exist."],
      ["missingArgument", "file-unreadable", "nowhere.csv does not exist."],
      ["early", "value-invalid", "nowhere.csv has no digest yet."],
    ])("are refused by name: %s", async (scenario, code, problem) => {
      const { err, status } = await runFiles(scenario, envOf());
      expect(err).toContain(problem);
      expect(err).toContain(`[${code}]\n`);
      expect(status).toBe(2);
    });

    it("are gone from this machine when the program ends with an error", async () => {
      mkdirSync(join(folderOfTest(), "unused"));
      expect((await runFiles("missing", envOf())).status).toBe(2);
    });
  });
}
