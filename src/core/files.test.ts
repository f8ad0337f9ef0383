import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeFolders, replaceFile, replaceWith, syncFolder } from "./files.ts";
import { temporaryFolder } from "./testdata/folder.ts";

it("makes a folder and its parents, with the mode, and keeps one that is there", async () => {
  const root = temporaryFolder();
  const path = join(root, "a/b/c");
  await makeFolders(path, 0o700);
  expect(["a", "a/b", "a/b/c"].map((name) => statSync(join(root, name)).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
  chmodSync(path, 0o750);
  await makeFolders(path, 0o700);
  expect(statSync(path).mode & 0o777).toBe(0o750);
  symlinkSync("a", join(root, "link"));
  await makeFolders(join(root, "link/d"));
  await makeFolders(join(root, "link"));
  expect(existsSync(join(root, "a/d"))).toBe(true);
});

it("makes no folder in place of a file, or below one", async () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  await expect(makeFolders(file)).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeFolders(join(file, "a"))).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(makeFolders("/proc/none/a")).rejects.toMatchObject({ code: "ENOENT" });
});

it("replaces a file as a whole, for this user alone, and leaves no draft", async () => {
  const root = temporaryFolder();
  const path = join(root, "file");
  await replaceFile(path, "first");
  await replaceFile(path, Buffer.from("second"));
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["second", 0o600]);
  mkdirSync(join(root, "drafts"));
  let draft = "";
  await replaceWith(path, join(root, "drafts"), async (file) => {
    draft = file;
    expect(readFileSync(path, "utf8")).toBe("second");
    writeFileSync(file, "third", { flag: "wx" });
  });
  expect(readFileSync(path, "utf8")).toBe("third");
  expect(draft).toMatch(new RegExp(`^${root}/drafts/\\..+`));
  await replaceFile(path, "fourth", join(root, "drafts"), 0o644);
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["fourth", 0o644]);
  expect(readdirSync(root, { recursive: true }).sort()).toEqual(["drafts", "file"]);
});

it("keeps the old file if the new one cannot be written, and names it", async () => {
  const root = temporaryFolder();
  const path = join(root, "file");
  writeFileSync(path, "old");
  const write = async (draft: string) => {
    writeFileSync(draft, "half");
    throw new Error("full");
  };
  await expect(replaceWith(path, root, write)).rejects.toMatchObject({ message: "full", path });
  expect([readFileSync(path, "utf8"), readdirSync(root)]).toEqual(["old", ["file"]]);
  await expect(replaceFile(join(root, "none/file"), "")).rejects.toMatchObject({ code: "ENOENT" });
  await expect(syncFolder(join(root, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  await syncFolder(root);
});
