import { describe, expect, it } from "vitest";
import { formatLock, type Lock, parseLock } from "./lock.ts";
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
    ["Suites: bookworm bookworm-security\n", "", /a\.lock:1: the field Suites is missing/],
    ["20261122T110000Z", "../20261122", new RegExp(`a\\.lock:${line("Snapshot")}: the snapshot is not a moment`)],
    ["Components:", "Component:", /a\.lock:3: Component is no field/],
    ["debian/pool/main/d", "https://host/pool/main/d", new RegExp(`a\\.lock:${line("dash")}: this is no package`)],
    ["debian/pool/main/d", "debian/pool/../../d", /this is no package/],
    ["debian/pool/main/d", "ubuntu/pool/main/d", /this is no package/],
    [` ${"b".repeat(64)}`, " bbb", new RegExp(`a\\.lock:${line("libc6")}: the sha256 or size of libc6`)],
    [" 91848", "", /the sha256 or size of dash/],
    [" 91848", " 91848 more", /the sha256 or size of dash/],
  ])("with %j as %j is refused at its line", (from, to, message) => {
    expect(() => parseLock(text.replace(from, to), "a.lock")).toThrow(message);
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
    [
      { suite: "trixie" },
      /for the suite bookworm, bookworm-security, but trixie[\s\S]*image lock a\.lock --suite trixie/,
    ],
    [
      { components: ["main", "non-free"] },
      /components main, but main, non-free[\s\S]*--component main --component non-free/,
    ],
    [{ architecture: "arm64" }, /architecture amd64, but arm64[\s\S]*--architecture arm64/],
    [{ packages: ["bash"] }, /packages dash, libc6, but bash[\s\S]*--package bash --exclude debconf/],
  ])("names what differs: %j", (change, message) => {
    expect(() => checkRequest(lock, { ...declared, ...change }, "a.lock")).toThrow(message);
  });
});
