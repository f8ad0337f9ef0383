import { describe, expect, it } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { formatLock, type Lock, lockedPackage, parseLock } from "./lock.ts";
import { checkRequest } from "./repository/check-request.ts";

const lock: Lock = {
  suites: ["bookworm", "bookworm-security"],
  components: ["main"],
  architecture: "amd64",
  packages: ["dash", "libc6"],
  excluded: ["debconf"],
  snapshot: "20261122T110000Z",
  locked: [
    {
      name: "dash",
      version: "0.5.12-2",
      archive: "debian",
      path: "pool/main/d/dash/dash_0.5.12-2_amd64.deb",
      sha256: "a".repeat(64),
      size: 91848,
    },
    {
      name: "libc6",
      version: "2.36-9+deb12u14",
      archive: "debian-security",
      path: "pool/updates/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
      sha256: "b".repeat(64),
      size: 2759320,
    },
  ],
};
const text = formatLock(lock);
const line = (part: string) => text.split("\n").findIndex((line) => line.startsWith(part)) + 1;

describe("a lock", () => {
  it("is read as it was written, and names no host", () => {
    expect(parseLock(text, "a.lock")).toEqual(lock);
    expect(text).not.toContain("//");
  });

  it("that was made before locks had a snapshot is read without one", () => {
    const { snapshot: _, ...older } = lock;
    expect(parseLock(text.replace(/^Snapshot: .*\n/m, ""), "a.lock")).toEqual(older);
  });

  it.each([
    ["Suites: bookworm bookworm-security\n", "", 1],
    ["20261122T110000Z", "../20261122", line("Snapshot")],
    ["Components:", "Component:", 3],
    ["debian/pool/main/d", "https://host/pool/main/d", line("dash")],
    ["debian/pool/main/d", "debian/pool/../../d", line("dash")],
    ["debian/pool/main/d", "ubuntu/pool/main/d", line("dash")],
    ["dash 0.5", "../dash 0.5", line("dash")],
    ["dash 0.5", "da:sh 0.5", line("dash")],
    [` ${"b".repeat(64)}`, " bbb", line("libc6")],
    [" 91848", "", line("dash")],
    [" 91848", " 91848 more", line("dash")],
  ])("with %j as %j is refused at its line", (from, to, at) => {
    expect(() => parseLock(text.replace(from, to), "a.lock")).toThrow(userErrorWith("file-invalid", `a.lock:${at}`));
  });
});

describe("a package of an index", () => {
  const good = {
    name: "dash",
    version: "1",
    archive: "debian",
    path: "pool/d.deb",
    sha256: "a".repeat(64),
    size: 1,
  } as const;

  it("is locked without what else the index says", () => {
    expect(lockedPackage({ ...good, ...{ priority: "required" } })).toEqual(good);
  });

  it.each([
    { name: "../dash" },
    { name: 'dash"' },
    { name: "Snapshot:" },
    { version: "1 2" },
    { version: "1\nevil 1" },
    { version: "1\revil" },
    { path: "../../x.deb" },
    { path: "pool/../../x.deb" },
    { path: "https://host/pool/x.deb" },
    { path: "//host/pool/x.deb" },
    { path: "pool/a b.deb" },
    { sha256: "A" },
    { size: Number.NaN },
    { size: -1 },
    { size: 1e30 },
  ])("is refused with %j", (change) => {
    const hostile = { ...good, ...change };
    expect(() => lockedPackage(hostile)).toThrow(failureWith("repository-failed", hostile.name));
  });
});

describe("checkRequest", () => {
  const declared = {
    suite: "bookworm bookworm-security",
    components: ["main"],
    architecture: "amd64",
    packages: ["libc6", "dash"],
  };

  it("accepts what the lock was made for, in any order, and what is not declared", () => {
    checkRequest(lock, declared, "a.lock");
    checkRequest(lock, { suite: "", components: [], architecture: "", packages: [] }, "a.lock");
  });

  it.each([
    [{ suite: "trixie" }, "image lock a.lock --suite trixie"],
    [{ components: ["main", "non-free"] }, "--component main --component non-free"],
    [{ architecture: "arm64" }, "--architecture arm64"],
    [{ packages: ["bash"] }, "--package bash --exclude debconf"],
  ])("gives the command for what differs: %j", (change, command) => {
    const check = () => checkRequest(lock, { ...declared, ...change }, "a.lock");
    expect(check).toThrow(userErrorWith("lock-outdated", "a.lock"));
    expect(check).toThrow(command);
  });
});
