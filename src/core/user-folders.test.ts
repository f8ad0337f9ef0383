import { chownSync, mkdirSync, mkdtempSync, rmdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { temporaryFolder } from "./testdata/folder.ts";
import { userErrorWith } from "./testdata/reported.ts";
import { cacheFolder, configFolder, stateFolder } from "./user-folders.ts";

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

it("is not read here where it cannot be: who uses it tells", () => {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "");
  expect(stateFolder({ XDG_STATE_HOME: file })).toBe(join(file, "slipway"));
});
