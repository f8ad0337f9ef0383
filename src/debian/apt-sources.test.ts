import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { mirrorFor, parseSourcesFile, parseSourcesList, readAptSources } from "./apt-sources.ts";
import { findMirrors } from "./mirrors.ts";

const debian = { uri: "http://mirror.example/debian", suite: "bookworm" };

describe("apt's sources", () => {
  it("are read from the one-line format", () => {
    const text = `# a comment
deb http://mirror.example/debian bookworm main contrib # and why
deb [arch=amd64 signed-by=/a/b.gpg] https://other.example/debian/ trixie main
deb-src http://mirror.example/debian bookworm main
#deb http://off.example/debian bookworm main
`;
    expect(parseSourcesList(text)).toEqual([debian, { uri: "https://other.example/debian/", suite: "trixie" }]);
  });

  it("are read from the deb822 format", () => {
    const text = `# a comment
Types: deb deb-src
URIs: http://mirror.example/debian http://two.example/debian
Suites: bookworm bookworm-updates
# inside
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://off.example/debian
Suites: sid
Enabled: no

Types: deb-src
URIs: http://sources.example/debian
Suites: sid
`;
    expect(parseSourcesFile(text)).toEqual([
      debian,
      { ...debian, suite: "bookworm-updates" },
      { uri: "http://two.example/debian", suite: "bookworm" },
      { uri: "http://two.example/debian", suite: "bookworm-updates" },
    ]);
  });

  it("are found where apt looks, other files left alone", () => {
    const root = temporaryFolder();
    expect(readAptSources(root)).toEqual([]);
    mkdirSync(join(root, "etc/apt/sources.list.d"), { recursive: true });
    writeFileSync(join(root, "etc/apt/sources.list"), "deb http://one.example/debian sid main\n");
    writeFileSync(join(root, "etc/apt/sources.list.d/b.list"), "deb http://three.example/debian sid main\n");
    writeFileSync(
      join(root, "etc/apt/sources.list.d/a.sources"),
      "Types: deb\nURIs: http://two.example/debian\nSuites: sid\n",
    );
    writeFileSync(join(root, "etc/apt/sources.list.d/c.list.save"), "deb http://four.example/debian sid main\n");
    expect(readAptSources(root).map(({ uri }) => uri)).toEqual([
      "http://one.example/debian",
      "http://two.example/debian",
      "http://three.example/debian",
    ]);
  });
});

describe("mirrorFor", () => {
  it("prefers the source of the suite itself", () => {
    const sources = [debian, { uri: "http://new.example/debian/", suite: "trixie" }];
    expect(mirrorFor("trixie", sources)).toBe("http://new.example/debian");
    expect(mirrorFor("sid", sources)).toBe("http://mirror.example/debian");
  });

  it("takes no other distribution's mirror for Debian's", () => {
    const sources = [
      { uri: "http://archive.example/ubuntu", suite: "jammy" },
      { uri: "https://deb.example/node_24.x", suite: "nodistro" },
      { uri: "cdrom://Debian", suite: "bookworm" },
    ];
    expect(mirrorFor("bookworm", sources)).toBeUndefined();
  });
});

describe("findMirrors", () => {
  it("finds the security archive beside the main one", () => {
    expect(findMirrors(["bookworm", "bookworm-updates", "bookworm-security"], "", [debian])).toEqual({
      debian: "http://mirror.example/debian",
      "debian-security": "http://mirror.example/debian-security",
    });
    expect(findMirrors(["bookworm-security"], "https://given.example/debian/", [debian])).toEqual({
      "debian-security": "https://given.example/debian-security",
    });
  });

  it("takes the security archive's own source where there is one", () => {
    const security = { uri: "http://fast.example/debian-security", suite: "bookworm-security" };
    expect(findMirrors(["bookworm", "bookworm-security"], "", [debian, security])["debian-security"]).toBe(
      security.uri,
    );
  });

  it("names the line to write when there is none", () => {
    expect(() => findMirrors(["bookworm"], "", [])).toThrow(/mirror = "https:\/\/HOST\/debian"[\s\S]*--mirror=/);
    expect(() => findMirrors(["bookworm"], "", [])).toThrow(userErrorWith("mirror-invalid", "bookworm"));
  });

  it("refuses an address with a password without repeating it", () => {
    const attempt = () => findMirrors(["bookworm"], "https://me:hunter2@mirror.example/debian", []);
    expect(attempt).toThrow(userErrorWith("mirror-invalid", "https://mirror.example/debian"));
    expect(attempt).not.toThrow(/hunter2/);
  });

  it("says when the security archive cannot be found", () => {
    expect(() => findMirrors(["bookworm-security"], "https://mirror.example/mirrors/deb", [])).toThrow(
      userErrorWith("mirror-invalid", "https://mirror.example/mirrors/deb"),
    );
  });
});
