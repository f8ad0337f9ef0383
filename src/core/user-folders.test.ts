import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { temporaryFolder } from "./testdata/folder.ts";
import { userErrorWith } from "./testdata/reported.ts";
import { cacheFolder, configFile, configFolder, homeFolder, stateFolder } from "./user-folders.ts";

vi.mock("node:os", { spy: true });

const all = { state: stateFolder, config: configFolder, cache: cacheFolder };
const names = { state: "XDG_STATE_HOME", config: "XDG_CONFIG_HOME", cache: "XDG_CACHE_HOME" };

/** Root in a user namespace that knows no other user can give nothing away. */
function canGiveAway(): boolean {
  const path = mkdtempSync(join(tmpdir(), "slipway-test-"));
  try {
    if (process.getuid?.() === 0) chownSync(path, 4242, 4242);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(path);
  }
}

const ofOthers = it.skipIf(!canGiveAway());

/** Makes files look like another user's. Root can give them away; others become somebody else themselves. */
function ofAnotherUser(path: string): void {
  if (process.getuid?.() === 0) chownSync(path, 4242, 4242);
  else {
    const spy = vi.spyOn(process, "getuid").mockReturnValue(4242);
    onTestFinished(() => spy.mockRestore());
  }
}

ofOthers.each(["state", "config", "cache"] as const)("a %s folder that another user made is refused", (kind) => {
  const home = temporaryFolder();
  const env = { [names[kind]]: home };
  const path = join(home, "slipway");
  expect(all[kind](env)).toBe(path);
  mkdirSync(path);
  expect(all[kind](env)).toBe(path);
  ofAnotherUser(path);
  expect(() => all[kind](env)).toThrow(userErrorWith("folder-unsafe", path));
  expect(() => all[kind](env)).toThrow(names[kind]);
});

ofOthers("a link to a folder of another user is refused, and one that leads nowhere is not", () => {
  const home = temporaryFolder();
  const target = join(home, "theirs");
  symlinkSync(target, join(home, "slipway"));
  expect(stateFolder({ XDG_STATE_HOME: home })).toBe(join(home, "slipway"));
  mkdirSync(target);
  ofAnotherUser(target);
  expect(() => stateFolder({ XDG_STATE_HOME: home })).toThrow(userErrorWith("folder-unsafe", join(home, "slipway")));
});

it("is below the home of who has no other or a relative one, and may be root's", () => {
  const home = temporaryFolder();
  const usual = { state: ".local/state", config: ".config", cache: ".cache" };
  for (const kind of ["state", "config", "cache"] as const) {
    const path = join(home, usual[kind], "slipway");
    expect([{}, { [names[kind]]: "relative" }].map((env) => all[kind]({ HOME: home, ...env }))).toEqual([path, path]);
  }
  const spy = vi.spyOn(process, "getuid").mockReturnValue(4242);
  onTestFinished(() => spy.mockRestore());
  // Of root.
  symlinkSync("/", join(home, "slipway"));
  const own = lstatSync(home).uid;
  if (own === 0) expect(stateFolder({ XDG_STATE_HOME: home })).toBe(join(home, "slipway"));
});

ofOthers("names HOME where the folder is below it", () => {
  const home = temporaryFolder();
  const path = join(home, ".cache/slipway");
  mkdirSync(path, { recursive: true });
  ofAnotherUser(path);
  for (const env of [{}, { XDG_CACHE_HOME: "relative" }]) {
    expect(() => cacheFolder({ HOME: home, ...env })).toThrow(/set HOME to/);
  }
});

it("is trusted where the system has no users", () => {
  const home = temporaryFolder();
  mkdirSync(join(home, "slipway"));
  const own = Object.getOwnPropertyDescriptor(process, "getuid") as PropertyDescriptor;
  Object.defineProperty(process, "getuid", { ...own, value: undefined });
  onTestFinished(() => void Object.defineProperty(process, "getuid", own));
  expect(stateFolder({ XDG_STATE_HOME: home })).toBe(join(home, "slipway"));
});

it("the configuration file is the one that the user names, else in the folder of the configuration", () => {
  const home = temporaryFolder();
  expect(configFile({ SLIPWAY_CONFIG: "a.yaml" })).toEqual({ path: "a.yaml", named: true });
  expect(configFile({ SLIPWAY_CONFIG: "", XDG_CONFIG_HOME: home })).toEqual({
    path: join(home, "slipway/config.yaml"),
    named: false,
  });
});

it("a user without a home is told to set HOME", () => {
  vi.mocked(userInfo).mockImplementation(() => {
    throw new Error("uv_os_get_passwd returned ENOENT");
  });
  onTestFinished(() => void vi.mocked(userInfo).mockRestore());
  expect(() => homeFolder({})).toThrow(userErrorWith("variable-invalid", "HOME"));
  expect(() => homeFolder({})).toThrow("HOME is not set, and this user has no home.");
  expect(homeFolder({ HOME: "/h" })).toBe("/h");
});

it("is not read here where it cannot be: who uses it tells", () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(stateFolder({ XDG_STATE_HOME: file })).toBe(join(file, "slipway"));
});
