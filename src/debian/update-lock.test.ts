import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { failureWith } from "../core/testdata/reported.ts";
import { archiveKeys } from "./archive-keys.ts";
import { relock } from "./repository/relock.ts";
import { verifiedText } from "./signature.ts";
import { snapshotArchives } from "./snapshot.ts";
import { releaseText, signed, type TestKey, type TestSuite, testFetch, testKey } from "./testdata/archive.ts";
import { makeLock, withOldSnapshot } from "./update-lock.ts";

const read = (name: string) =>
  Buffer.from(readFileSync(new URL(`./testdata/${name}`, import.meta.url), "utf8"), "base64");
const packages = read("packages.xz.base64");
const securityPackages = read("security_packages.xz.base64");

const now = new Date("2026-11-21T12:00:00Z");
const before = new Date("2026-11-20T12:00:00Z");
const request = {
  suites: ["bookworm"],
  components: ["main"],
  architecture: "amd64",
  packages: ["hello"],
  excluded: [],
};

let key: TestKey;
let stranger: TestKey;
beforeAll(async () => {
  [key, stranger] = await Promise.all([testKey(), testKey()]);
});

interface Change {
  readonly suite?: Partial<TestSuite>;
  readonly signer?: TestKey;
  readonly date?: Date;
  readonly served?: Buffer;
  readonly edit?: (inRelease: string) => string;
}

/** An archive with one suite, made and then spoiled as the test wants it. */
async function archive({ suite, signer = key, date = before, served = packages, edit = (text) => text }: Change = {}) {
  const text = releaseText("bookworm", { packages, ...suite });
  return testFetch({
    "debian/dists/bookworm/InRelease": edit(await signed(text, signer, date)),
    "debian/dists/bookworm/main/binary-amd64/Packages.xz": served,
  });
}

async function lock(change?: Change, asked = request) {
  return makeLock(asked, { fetch: await archive(change), now, keys: [key.public] });
}

const inRelease = "dists/bookworm/InRelease";

describe("makeLock", () => {
  it("locks the closure from the signed index", async () => {
    expect((await lock()).locked).toEqual([
      {
        name: "hello",
        version: "2.10-3",
        archive: "debian",
        path: "pool/main/h/hello/hello_2.10-3_amd64.deb",
        sha256: "5be69c4b42d0ba5a1f7a2ac5e2c5f2e0a31d4f7f6d4f2e3c8f7a9c1b2d3e4f50",
        size: 53048,
      },
      expect.objectContaining({ name: "libc6", version: "2.36-9" }),
    ]);
  });

  it("names a moment at which Debian's archive of all versions has seen what is newest now", async () => {
    const made = await lock();
    expect(made.snapshot).toBe("20261122T000000Z");
    expect(snapshotArchives({ ...made, suites: ["bookworm", "bookworm-updates", "bookworm-security"] })).toEqual({
      debian: "https://snapshot.debian.org/archive/debian/20261122T000000Z",
      "debian-security": "https://snapshot.debian.org/archive/debian-security/20261122T000000Z",
    });
  });

  it("keeps the moment of an old lock with the same packages, and of no other", async () => {
    const made = await lock();
    const old = { ...made, snapshot: "20260101T000000Z" };
    const { snapshot: _, ...older } = made;
    expect(withOldSnapshot(made, old)).toEqual(old);
    expect(withOldSnapshot(made, older)).toEqual(made);
    expect(withOldSnapshot(made, { ...old, locked: old.locked.slice(1) })).toEqual(made);
  });

  it("takes security updates from their own archive", async () => {
    const suites = ["bookworm", "bookworm-security"];
    const security = releaseText("bookworm-security", {
      packages: securityPackages,
      fields: { Components: "updates/main" },
    });
    const fetch = testFetch({
      "debian/dists/bookworm/InRelease": await signed(releaseText("bookworm", { packages }), key, before),
      "debian/dists/bookworm/main/binary-amd64/Packages.xz": packages,
      "debian-security/dists/bookworm-security/InRelease": await signed(security, key, before),
      "debian-security/dists/bookworm-security/main/binary-amd64/Packages.xz": securityPackages,
    });
    const { locked } = await makeLock({ ...request, suites }, { fetch, now, keys: [key.public] });
    expect(locked.map(({ name, version, archive }) => [name, version, archive])).toEqual([
      ["hello", "2.10-3", "debian"],
      ["libc6", "2.36-9+deb12u1", "debian-security"],
    ]);
  });

  it.each<[string, () => Change, string]>([
    ["signed by a stranger", () => ({ signer: stranger }), inRelease],
    ["signed in the future", () => ({ date: new Date("2027-01-01") }), inRelease],
    ["changed after it was signed", () => ({ edit: (text) => text.replace("non-free", "non-freed") }), inRelease],
    ["not signed", () => ({ edit: () => releaseText("bookworm", { packages }) }), inRelease],
    ["no index", () => ({ edit: () => "<html>Welcome</html>" }), inRelease],
    ["expired", () => ({ suite: { fields: { "Valid-Until": "Sat, 21 Nov 2026 11:59:59 UTC" } } }), "bookworm"],
    ["of a date that is none", () => ({ suite: { fields: { "Valid-Until": "soon" } } }), "bookworm"],
    ["of another suite", () => ({ suite: { fields: { Suite: "oldstable", Codename: "bullseye" } } }), "bookworm"],
    [
      "with other packages than it names",
      () => ({ served: securityPackages }),
      "dists/bookworm/main/binary-amd64/Packages.xz",
    ],
  ])("refuses an index that is %s", async (_, change, culprit) => {
    await expect(lock(change())).rejects.toThrow(failureWith("repository-failed", culprit));
  });

  it("accepts an index that is still valid, and a suite by its other name", async () => {
    await lock({ suite: { fields: { "Valid-Until": "Sat, 21 Nov 2026 12:00:01 UTC" } } });
    await lock({ suite: { fields: { Suite: "oldstable" } } });
  });

  it("ignores what stands outside the signature", async () => {
    const edit = (text: string) =>
      `Suite: bookworm\nSHA256:\n ${"0".repeat(64)} 1 main/binary-amd64/Packages.xz\n\n${text}\nmore\n`;
    const result = await lock({ edit }).catch((error: Error) => error.message);
    if (typeof result === "string") expect(result).toMatch(/is not a signed index/);
    else expect(result.locked).toHaveLength(2);
  });

  it("names what a suite does not have", async () => {
    await expect(lock({}, { ...request, components: ["mian"] })).rejects.toThrow(
      failureWith("package-not-found", "mian"),
    );
    await expect(lock({}, { ...request, architecture: "arm64" })).rejects.toThrow(
      failureWith("package-not-found", "arm64"),
    );
    await expect(lock({}, { ...request, packages: ["helo"] })).rejects.toThrow("Did you mean hello?");
  });

  it("fetches nothing that depends on an index before that is verified", async () => {
    const fetch = await archive({ signer: stranger });
    await expect(makeLock(request, { fetch, now, keys: [key.public] })).rejects.toThrow(
      failureWith("repository-failed", inRelease),
    );
    expect(fetch.asked).toEqual(["debian/dists/bookworm/InRelease"]);
  });
});

describe("relock", () => {
  it("gives the new file, its packages and the lines that are new", async () => {
    const old = await lock();
    const outdated = {
      ...old,
      locked: old.locked.map((entry) => (entry.name === "hello" ? { ...entry, version: "2.10-2" } : entry)),
    };
    const answer = await relock(outdated, { fetch: await archive(), now, keys: [key.public] });
    expect(answer.changed).toEqual([expect.stringMatching(/^hello 2\.10-3 debian\/pool\//)]);
    expect(answer.lock).toContain(answer.changed[0]);
    expect(answer.locked).toHaveLength(2);
  });
});

describe("relock, given an old index again", () => {
  it("refuses to go back", async () => {
    const old = await lock();
    const ahead = { ...old, locked: old.locked.map((entry) => ({ ...entry, version: `${entry.version}+deb12u1` })) };
    await expect(relock(ahead, { fetch: await archive(), now, keys: [key.public] })).rejects.toThrow(
      failureWith("repository-failed", "hello"),
    );
  });
});

describe("the archive keys", () => {
  it("have the fingerprints that they are listed with", async () => {
    expect(archiveKeys).toHaveLength(6);
    const failure = verifiedText(await signed("x", stranger, before), "the index", { now });
    // A key with another fingerprint would be a TypeError.
    await expect(failure).rejects.toThrow(failureWith("repository-failed", "the index"));
  });
});
