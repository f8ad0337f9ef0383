import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { jsonOf, reportOf } from "./errors.ts";
import { takeLock } from "./lock.ts";
import { describeSystemError } from "./system-error.ts";
import { printed } from "./testdata/reported.ts";
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
    new TypeError("odd"),
    undefined,
  ]) {
    expect(describeSystemError(error)).toBeUndefined();
  }
});

it("is the user's where HOME is a relative path", () => {
  expect(`${reportOf(thrownBy(() => homeFolder({ HOME: "me" })))}\n`).toEqual(
    printed("variable-invalid", "HOME is me"),
  );
  expect(homeFolder({ HOME: "" })).toMatch(/^\//);
});
