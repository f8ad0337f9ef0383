import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Failure } from "../core/errors.ts";
import { reported } from "../core/testdata/reported.ts";
import { header } from "../layer/header.ts";
import { FilePlace } from "./file-place.ts";
import { unpackTar } from "./folder-tar.ts";
import { digestOf, folderOfTest } from "./testdata/files.ts";

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
  await expect(place.save(form, source)).rejects.toThrow(reported("content-lost", content.digest));
  expect(readFileSync(source, "utf8")).toBe("a,b\n");
  const gone = { ...form, digest: digestOf("gone") as typeof form.digest };
  await expect(place.read(gone)).rejects.toThrow(reported("content-lost", gone.digest));
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

it("refuses a folder of the wrong form, and writes nothing outside", async () => {
  const folder = folderOfTest();
  const tar = join(folder, "tar");
  const inner = join(folder, "inner");
  mkdirSync(inner);
  for (const path of ["../evil", "a/../../evil", "/"]) {
    writeFileSync(tar, Buffer.concat([header({ type: "file", path, content: { file: "" } }, 0), Buffer.alloc(1024)]));
    await expect(unpackTar(tar, inner)).rejects.toThrow(RangeError);
  }
  // A link comes last, so that no file goes through it.
  const link = header({ type: "symlink", path: "out", target: ".." }, 0);
  const through = header({ type: "file", path: "out/evil", content: { file: "" } }, 0);
  writeFileSync(tar, Buffer.concat([link, through, Buffer.alloc(1024)]));
  await expect(unpackTar(tar, inner)).rejects.toThrow("EEXIST");
  expect(readdirSync(folder).sort()).toEqual(["inner", "tar"]);
});
