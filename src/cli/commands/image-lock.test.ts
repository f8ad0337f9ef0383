import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatusOf } from "../../core/errors.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { formatLock } from "../../debian/lock.ts";
import { lock } from "./image-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const unset = {
  suite: undefined,
  component: undefined,
  architecture: undefined,
  package: undefined,
  exclude: undefined,
};
const run = (options: Partial<Parameters<typeof lock.run>[0]>) =>
  lock
    .run({ ...unset, file: join(folder, "a.lock"), mirror: pathToFileURL(folder).href, ...options })
    .catch((error: Error) => error);

describe("image lock", () => {
  it("says what a new lock needs", async () => {
    const error = await run({ package: ["dash"] });
    expect(error).toEqual(userErrorWith("command-line-invalid", "--suite"));
    expect(exitStatusOf(error)).toBe(2);
    expect(await run({ suite: ["bookworm"] })).toEqual(userErrorWith("command-line-invalid", "--package"));
  });

  it("leaves the lock as it was when it fails", async () => {
    const request = { suites: ["bookworm"], components: ["main"], architecture: "amd64", packages: ["dash"] };
    const text = formatLock({ ...request, excluded: [], locked: [] });
    writeFileSync(join(folder, "a.lock"), text);
    const error = await run({});
    expect(error).toEqual(failureWith("repository-failed", /dists\/bookworm\/InRelease/));
    expect(exitStatusOf(error)).toBe(1);
    expect(readFileSync(join(folder, "a.lock"), "utf8")).toBe(text);
    expect(readdirSync(folder)).toEqual(["a.lock"]);
  });

  it("names the line of a lock that is none", async () => {
    writeFileSync(join(folder, "a.lock"), "Suites: bookworm\nnonsense\n");
    expect(await run({})).toEqual(userErrorWith("file-invalid", /a\.lock:2$/));
  });
});
