import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Failure } from "../core/errors.ts";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { FilePlace } from "./file-place.ts";
import { type DrawnEntry, drawnTar } from "./testdata/drawn-tar.ts";
import { digestOf, folderOfTest } from "./testdata/files.ts";
import hostile from "./testdata/hostile-tars.json" with { type: "json" };

const nowhere = {
  fetch: async ({ digest }: { digest: string }) => {
    throw new Failure({ code: "content-lost", culprit: digest }, "gone", "again");
  },
};

it("refuses content that was changed, and writes none of it", async () => {
  const folder = folderOfTest();
  const source = join(folder, "data.csv");
  writeFileSync(source, "a,b\n");
  const content = await new FilePlace(folder, nowhere).put(source, "file", false);
  const place = new FilePlace(folder, nowhere);
  chmodSync(place.pathOf(content), 0o644);
  writeFileSync(place.pathOf(content), "b,a\n");
  const form = { kind: "file", name: "data.csv", ...content } as const;
  await expect(place.save(form, source)).rejects.toThrow(failureWith("content-lost", content.digest));
  expect(readFileSync(source, "utf8")).toBe("a,b\n");
  const gone = { ...form, digest: digestOf("gone") as typeof form.digest };
  await expect(place.read(gone)).rejects.toThrow(failureWith("content-lost", gone.digest));
});

it("keeps a copy: what a caller changes later is not handed on", async () => {
  const folder = folderOfTest();
  const source = join(folder, "data.csv");
  writeFileSync(source, "before");
  const place = new FilePlace(folder, nowhere);
  const content = await place.put(source, "file", false);
  writeFileSync(source, "after!");
  expect((await place.read(content)).toString()).toBe("before");
});

it("does not copy what a function leaves in its scratch folder", async () => {
  const folder = folderOfTest();
  const place = new FilePlace(folder, nowhere);
  const source = join(place.scratch(), "model.bin");
  writeFileSync(source, "");
  truncateSync(source, 2 ** 26);
  const content = await place.put(source, "file", true);
  // A copy would have filled the holes.
  expect(statSync(place.pathOf(content)).ino).toBe(statSync(source).ino);
});

it("has nothing that looks whole when it is killed while it takes a file", { timeout: 60_000 }, async () => {
  const folder = folderOfTest();
  const source = join(folder, "..", `${process.pid}-large`);
  writeFileSync(source, "");
  truncateSync(source, 4 * 2 ** 30);
  const script = `import { FilePlace } from "${join(process.cwd(), "src/sdk/file-place.ts")}";
    await new FilePlace(${JSON.stringify(folder)}, { fetch: async () => {} }).put(${JSON.stringify(source)}, "file", false);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  const watcher = watch(folder);
  await once(watcher, "change");
  watcher.close();
  child.kill("SIGKILL");
  await once(child, "close");
  rmSync(source);
  expect(readdirSync(folder).filter((name) => !name.startsWith("."))).toEqual([]);
});

it("saves nothing of a folder that leads out", async () => {
  const folder = folderOfTest();
  const place = new FilePlace(folder, nowhere);
  for (const { name, entries, end, problem } of hostile) {
    const tar = drawnTar(entries as unknown as DrawnEntry[], join(folder, "outside"), end);
    const digest = digestOf(tar) as `sha256:${string}`;
    writeFileSync(place.pathOf({ digest }), tar);
    const saved = place.save({ kind: "folder", name: "x", digest, size: tar.length }, join(folder, "out"));
    if (problem === "") await saved;
    else await expect(saved, name).rejects.toThrow(failureWith("content-lost", digest));
    rmSync(place.pathOf({ digest }));
    expect(readdirSync(folder), name).toEqual(problem === "" ? ["out"] : []);
    rmSync(join(folder, "out"), { recursive: true, force: true });
  }
});

it("replaces no folder with files, and does not follow a link in its place", async () => {
  const folder = folderOfTest();
  const place = new FilePlace(folder, nowhere);
  const source = join(place.scratch(), "tree");
  mkdirSync(source);
  writeFileSync(join(source, "a"), "new");
  const form = { kind: "folder", name: "tree", ...(await place.put(source, "folder", false)) } as const;
  const [full, link] = [join(folder, "full"), join(folder, "link")];
  mkdirSync(full);
  writeFileSync(join(full, "b"), "old");
  symlinkSync(full, link);
  for (const path of [full, link])
    await expect(place.save(form, path)).rejects.toThrow(userErrorWith("file-unwritable", path));
  expect(readdirSync(full)).toEqual(["b"]);
  const [file, target] = [join(folder, "saved"), join(folder, "target")];
  writeFileSync(target, "old");
  symlinkSync(target, file);
  await place.save({ ...form, kind: "file" }, file);
  expect([readFileSync(target, "utf8"), lstatSync(file).isFile()]).toEqual(["old", true]);
});

it.each([
  ["a link to a file of the user", (path: string, other: string) => symlinkSync(other, path)],
  ["a pipe", (path: string) => execFileSync("mkfifo", [path])],
  ["other bytes", (path: string) => writeFileSync(path, "b,a\n")],
])("refuses content that a container replaced with %s after it was verified", async (_, replace) => {
  const folder = folderOfTest();
  const [source, other] = [join(folder, "data.csv"), join(folder, "other")];
  writeFileSync(source, "a,b\n");
  writeFileSync(other, "key\n");
  const place = new FilePlace(folder, nowhere);
  const form = { kind: "file", name: "data.csv", ...(await place.put(source, "file", false)) } as const;
  rmSync(place.pathOf(form));
  replace(place.pathOf(form), other);
  // The helper stores in a registry what is here.
  expect(place.has(form)).toBe(lstatSync(place.pathOf(form)).isFile());
  const out = join(folder, "out");
  await expect(place.save(form, out)).rejects.toThrow(failureWith("content-lost", form.digest));
  await expect(place.read(form)).rejects.toThrow(failureWith("content-lost", form.digest));
  expect(readdirSync(folder).sort()).toEqual(["data.csv", "other", place.pathOf(form).split("/").at(-1)].sort());
});

it("copies what a link in the scratch folder leads to", async () => {
  const place = new FilePlace(folderOfTest(), nowhere);
  const [source, link] = [join(place.scratch(), "model"), join(place.scratch(), "latest")];
  writeFileSync(source, "m");
  symlinkSync("model", link);
  const content = await place.put(link, "file", true);
  expect(lstatSync(place.pathOf(content)).isFile()).toBe(true);
  expect((await place.read(content)).toString()).toBe("m");
});
