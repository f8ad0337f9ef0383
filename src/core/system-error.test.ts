import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { jsonOf, reportOf } from "./errors.ts";
import { takeLock } from "./lock.ts";
import { atPath, describeSystemError } from "./system-error.ts";
import { printed, userErrorWith } from "./testdata/reported.ts";
import { homeFolder } from "./user-folders.ts";

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

it("is told by path and operation, with what to do, where the disk is full", () => {
  const error = Object.assign(thrownBy(() => writeFileSync("/dev/full", "x")) as Error, { path: "/a/file" });
  const text = reportOf(error);
  expect(text).toMatch(
    /^\/a\/file cannot be written: the disk is full \(ENOSPC, write\)\.\nFree some space .* \[file-unwritable\]$/,
  );
  expect(JSON.parse(jsonOf(error)).error).toMatchObject({ code: "file-unwritable", culprit: "/a/file" });
});

const refusal = (code: string, syscall: string, fields: object = { path: "/x" }) =>
  describeSystemError(Object.assign(new Error("refused"), { code, syscall, ...fields }));

it.each([
  ["ENOSPC", "read", "file-unwritable", "written", "the disk is full"],
  ["EDQUOT", "write", "file-unwritable", "written", "your disk quota is used up"],
  ["EFBIG", "ftruncate", "file-unwritable", "written", "it would be larger than files may be"],
  ["EROFS", "open", "file-unwritable", "written", "the file system is read-only"],
  ["EACCES", "open", "file-unreadable", "opened", "permission denied"],
  ["EACCES", "mkdir", "file-unwritable", "written", "permission denied"],
  ["EPERM", "chmod", "file-unwritable", "written", "permission denied"],
  ["ELOOP", "stat", "file-unreadable", "opened", "its links lead in a circle"],
  ["EISDIR", "read", "file-unreadable", "opened", "it is a folder"],
  ["EIO", "scandir", "file-unreadable", "opened", "the disk failed"],
])("%s of %s is %s: it cannot be %s because %s", (code, syscall, identity, done, reason) => {
  expect(refusal(code, syscall)).toEqual({
    code: identity,
    culprit: "/x",
    problem: `/x cannot be ${done}: ${reason} (${code}, ${syscall}).`,
    remedy: expect.stringMatching(/^\w.+, or use another folder: set XDG_STATE_HOME/),
  });
});

it.each([3, 8, 10, 13, 14, 14 + 256])("is one of SQLite's codes: %i", (errcode) => {
  const names: Readonly<Record<number, string>> = { 3: "EACCES", 8: "EROFS", 10: "EIO", 13: "ENOSPC" };
  expect(refusal("ERR_SQLITE_ERROR", "", { errcode, path: "/x" })).toMatchObject({
    code: "file-unwritable",
    problem: expect.stringContaining(`(${names[errcode] ?? "CANTOPEN"}, lock)`),
  });
});

it("names the target of a rename, a missing folder of a read-only disk, a stream, and a file without a name", () => {
  expect(refusal("EACCES", "rename", { path: "/x", dest: "/y" })?.culprit).toBe("/y");
  expect(refusal("ENOENT", "mkdir")).toMatchObject({ code: "file-unwritable", culprit: "/x" });
  expect(refusal("ENOSPC", "write", { path: "standard output" })?.remedy).toBe(
    "Free some space on its disk, or direct it elsewhere.",
  );
  expect(refusal("ENOSPC", "write", { path: "/a standard " })?.remedy).toContain("XDG_STATE_HOME");
  expect(refusal("EIO", "read", {})?.culprit).toBe("a file");
});

it("gets a path only if it has none", () => {
  expect(atPath(new Error("a"), "/x")).toMatchObject({ path: "/x" });
  expect(atPath(Object.assign(new Error("a"), { path: "/own" }), "/x")).toMatchObject({ path: "/own" });
  expect(["text", undefined].map((error) => atPath(error, "/x"))).toEqual(["text", undefined]);
});

it("names the lock that cannot be taken", () => {
  const missing = join(tmpdir(), "slipway-nowhere");
  expect(describeSystemError(thrownBy(() => takeLock(join(missing, "lock"))))).toMatchObject({
    code: "file-unwritable",
    culprit: join(missing, "lock"),
  });
});

it("is not taken for one of files where it is none", () => {
  for (const error of [
    Object.assign(new Error("spawn /x EACCES"), { code: "EACCES", syscall: "spawn /x", path: "/x" }),
    Object.assign(new Error("listen EACCES"), { code: "EACCES", syscall: "listen" }),
    Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall: "open", path: "/x" }),
    Object.assign(new Error("ENOENT"), { code: "ENOENT", path: "/x" }),
    Object.assign(new Error("busy"), { code: "ERR_SQLITE_ERROR", errcode: 5 }),
    Object.assign(new Error("odd"), { code: "ERR_SQLITE_ERROR", errcode: "13" }),
    Object.assign(new Error("odd"), { code: "EINVAL", syscall: "mkdir", errcode: 13 }),
    Object.assign(new Error("odd"), { code: "EACCES" }),
    Object.assign(new Error("odd"), { syscall: "open" }),
    { code: "EACCES", syscall: "open", path: "/x" },
    new TypeError("odd"),
    undefined,
  ]) {
    expect(describeSystemError(error)).toBeUndefined();
  }
});

it("is the user's where HOME is a relative path", () => {
  expect(() => homeFolder({ HOME: "me" })).toThrow(userErrorWith("variable-invalid", "HOME"));
  expect(`${reportOf(thrownBy(() => homeFolder({ HOME: "me" })))}\n`).toEqual(
    printed("variable-invalid", "HOME is me"),
  );
  expect(homeFolder({ HOME: "" })).toMatch(/^\//);
});
