import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { poetryContentHash, poetryRequirements } from "./poetry.ts";

const project = `[project]
name = "report"
version = "1.0.0"
requires-python = ">=3.9"
dependencies = ["humanize (>=4.9,<5)", "colorama (>=0.4.6,<0.5) ; sys_platform == 'win32'"]

[tool.poetry]
package-mode = false

[tool.poetry.group.dev.dependencies]
iniconfig = "^2.0.0"
`;

/** Of Poetry 2.5.1. */
const hash = "0a42453e1ca4b8a896de0103ade47364656b4962222207932b6550ab783fa17d";

const entry = (name: string, more: string) => `[[package]]
name = "${name}"
version = "1.0"
optional = false
python-versions = ">=3.9"
${more}
`;
const files = `files = [{file = "x.whl", hash = "sha256:aa"}, {file = "x.tar.gz", hash = "sha256:bb"}]`;
const metadata = (version = "2.1", contentHash = hash) =>
  `[metadata]\nlock-version = "${version}"\npython-versions = ">=3.9"\ncontent-hash = "${contentHash}"\n`;
const read = (lock: string) => () => poetryRequirements(project, lock, ".");

describe("poetryRequirements", () => {
  it("gives what the group main needs, with hashes and conditions", () => {
    const lock = [
      entry("one", `groups = ["main"]\n${files}`),
      entry("two", `groups = ["main", "dev"]\nmarkers = "sys_platform == \\"win32\\""\n${files}`),
      entry("three", `groups = ["dev", "main"]\nmarkers = {dev = "os_name == 'a'", main = "os_name == 'b'"}\n${files}`),
      entry("four", `groups = ["dev"]\n${files}`),
      entry("five", `groups = ["main"]\n${files}`).replace("optional = false", "optional = true"),
      metadata(),
    ];
    const hashes = "--hash=sha256:aa --hash=sha256:bb";
    expect(poetryRequirements(project, lock.join("\n"), ".")).toEqual([
      `one==1.0 ${hashes}`,
      `two==1.0 ; sys_platform == "win32" ${hashes}`,
      `three==1.0 ; os_name == 'b' ${hashes}`,
    ]);
  });

  it("refuses a lock of another project, an old one, and what has no hash", () => {
    const changed = read(metadata("2.1", "0".repeat(64)));
    expect(changed).toThrow(userErrorWith("lock-outdated", "poetry.lock"));
    expect(changed).toThrow("pyproject.toml has changed");
    for (const lock of [metadata("2.0"), ""]) expect(read(lock)).toThrow("written by a Poetry before 2.0");
    const git = `groups = ["main"]\nfiles = []\n[package.source]\ntype = "git"\nurl = "https://a.example/b.git"\n`;
    expect(read(entry("one", git) + metadata())).toThrow(userErrorWith("requirement-unpinned", "one"));
    expect(read(entry("one", `groups = ["main"]\nfiles = []`) + metadata())).toThrow(
      userErrorWith("file-invalid", "poetry.lock"),
    );
    expect(read("a = [\n")).toThrow(userErrorWith("file-invalid", /^poetry\.lock:\d:\d$/));
  });
});

describe("poetryContentHash", () => {
  it("is that of Poetry", () => {
    // Each made by Poetry 2.5.1.
    expect(poetryContentHash({})).toBe("115cf985d932e9bf5f540555bbdd75decbb62cac81e399375fc19f6277f8c1d8");
    const old = {
      tool: { poetry: { name: "a", dependencies: { python: "^3.9", six: "1.16.0" }, "dev-dependencies": {} } },
    };
    expect(poetryContentHash(old)).toBe("8328aa493a3595048f0aa7d97e3c0b29cf63ae8981f3ea4717c5b5cb40a5c51a");
    const other = {
      project: { name: "a", "requires-python": ">=3.9", dependencies: ["é>1"], "optional-dependencies": { b: ["c"] } },
      "dependency-groups": { test: ["d"] },
      tool: { poetry: { extras: { e: ["f"] }, group: { g: { optional: true } } } },
    };
    expect(poetryContentHash(other)).toBe("5ae1193798450ed1b50a0415d9260e243af8714ab75374a7e242e181d872721d");
  });

  it("refuses what would be another line or an option for pip", () => {
    const plain = entry("one", `groups = ["main"]\n${files}`);
    for (const lock of [
      plain.replace('"one"', '"one\\n--no-binary x"'),
      ...["-r", "-e.", "--pre", "..", ".", "-"].map((name) => plain.replace('"one"', JSON.stringify(name))),
      plain.replace('version = "1.0"', 'version = "1.0 --no-binary=x"'),
      plain.replace("sha256:aa", "sha256:aa --no-binary=x"),
      `${plain}markers = "os_name == 'a'\\u2028--no-binary x"\n`,
      `${plain}markers = "os_name == 'a' --no-binary=x"\n`,
      `${plain}markers = "os_name == '$\{PIP_INDEX_URL}'"\n`,
    ]) {
      expect(read(lock + metadata())).toThrow(userErrorWith("file-invalid", "poetry.lock"));
    }
  });
});
