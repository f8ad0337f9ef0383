import { userInfo } from "node:os";
import { afterEach, expect, it, vi } from "vitest";
import { userName } from "./user-name.ts";
import { userPath } from "./user-path.ts";

vi.mock("node:os", { spy: true });
afterEach(() => {
  vi.unstubAllEnvs();
  vi.mocked(userInfo).mockRestore();
});

it("a path is of the folder in which the user called Bazel, else of the working folder", () => {
  vi.stubEnv("BUILD_WORKING_DIRECTORY", "/their/folder");
  expect(["a/../b", "/c", "", undefined].map(userPath)).toEqual([
    "/their/folder/b",
    "/c",
    "/their/folder",
    "/their/folder",
  ]);
  vi.stubEnv("BUILD_WORKING_DIRECTORY", undefined);
  expect(userPath("a")).toBe(`${process.cwd()}/a`);
});

it("a user without a name has a number", () => {
  expect(userName()).toBe(userInfo().username);
  vi.mocked(userInfo).mockImplementation(() => {
    throw new Error("uv_os_get_passwd returned ENOENT");
  });
  expect(userName()).toBe(String(process.getuid?.()));
});
