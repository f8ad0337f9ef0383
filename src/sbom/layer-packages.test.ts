import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { viewOf } from "../layer/file-view.ts";
import { formatLayerPackages, PackageFinder, parseLayerPackages } from "./layer-packages.ts";

function found(files: Readonly<Record<string, string>>) {
  const finder = new PackageFinder();
  for (const [path, text] of Object.entries(files)) {
    const bytes = Buffer.from(text);
    finder.look(viewOf(path, bytes.length, (target, at) => bytes.copy(target, 0, at)));
  }
  return parseLayerPackages(formatLayerPackages(finder.found()), "packages.json");
}

const npm = (name: string, more = {}) => JSON.stringify({ name, version: "1.0.0", ...more });
const names = (files: Readonly<Record<string, string>>) => found(files).packages.map(({ name }) => name);

it("finds npm packages, but no folder inside one", () => {
  expect(
    found({
      "app/node_modules/a/package.json": npm("a", { license: "MIT" }),
      "app/node_modules/a/dist/package.json": npm("inside"),
      "app/node_modules/a/node_modules/@b/c/package.json": npm("@b/c", {
        licenses: [{ type: "MIT" }, { type: "ISC" }],
      }),
      "app/node_modules/alias/package.json": npm("real"),
      "app/node_modules/options/package.json": '{"type": "module"}',
      "app/node_modules/broken/package.json": "{",
      "app/package.json": npm("program"),
    }).packages,
  ).toEqual([
    { type: "npm", name: "@b/c", version: "1.0.0", license: "MIT OR ISC" },
    { type: "npm", name: "a", version: "1.0.0", license: "MIT" },
    { type: "npm", name: "real", version: "1.0.0" },
  ]);
});

it("finds Python's distributions, but none that another carries along", () => {
  const text =
    "Metadata-Version: 2.1\r\nName: Pkg\r\nVersion: 2\r\nLicense: MIT\r\nLicense-Expression: ISC\r\n\r\nName: text";
  expect(
    found({
      "x/site-packages/Pkg-2.dist-info/METADATA": text,
      "usr/lib/python3/dist-packages/old-1.egg-info": "Name: old\nVersion: 1\nLicense: a\n b\n",
      "usr/lib/python3/dist-packages/older-1.egg-info/PKG-INFO": "Name: older\nVersion: 1\n",
      "x/site-packages/Pkg/_vendor/inside-1.dist-info/METADATA": "Name: inside\nVersion: 1\n",
      "x/site-packages/nameless-1.dist-info/METADATA": "Version: 1\n",
    }).packages,
  ).toEqual([
    { type: "pypi", name: "Pkg", version: "2", license: "ISC" },
    { type: "pypi", name: "old", version: "1" },
    { type: "pypi", name: "older", version: "1" },
  ]);
});

it("finds installed Debian packages and the distribution", () => {
  const status = [
    "Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2-3\nSource: s (2-1)\n",
    "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n",
    "Package: b\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nSource: t\n",
  ];
  const expected = {
    distribution: { id: "debian", versionId: "12" },
    packages: [
      { type: "deb", name: "a", version: "1:2-3", architecture: "amd64", source: "s@2-1" },
      { type: "deb", name: "b", version: "1", architecture: "all", source: "t" },
    ],
  };
  const release = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';
  expect(found({ "usr/lib/os-release": release, "var/lib/dpkg/status": status.join("\n") })).toEqual(expected);
  const parts = Object.fromEntries(status.map((text, index) => [`var/lib/dpkg/status.d/${index}`, text]));
  expect(found({ ...parts, "var/lib/dpkg/status.d/a.md5sums": "00  a\n", "etc/os-release": release })).toEqual(
    expected,
  );
});

it("takes time in proportion to a field of a Debian package", () => {
  const status = (count: number) =>
    `Package: a\nVersion: 1\nSource: b${" (".repeat(count)}\nStatus: install ok installed\n`;
  const began = process.cpuUsage();
  expect(found({ "var/lib/dpkg/status": status(100_000) }).packages).toHaveLength(1);
  // A minute, where it grows with the square.
  expect(process.cpuUsage(began).user / 1e6).toBeLessThan(10);
});

it("finds the licences of Debian packages whose copyright names them", () => {
  const status = ["a", "b", "c"].map((name) => `Package: ${name}\nVersion: 1\n`).join("\n");
  const copyright =
    "Format: x\n\nFiles: *\nLicense: GPL-2+ or MIT\n This is\n\nFiles: y\nLicense: Expat\n\nLicense: Expat\n text\n";
  const { packages } = found({
    "usr/share/doc/a/copyright": copyright,
    "usr/share/doc/b/copyright": "License: none of these\n",
    "usr/share/doc/c/copyright": "Format: x\nLicense: Permission to use, copy, modify\nLicense:\n",
    "var/lib/dpkg/status": status,
  });
  expect(packages.map(({ license }) => license)).toEqual(["Expat, GPL-2+ or MIT", undefined, undefined]);
});

it("lists a package once, in the same order in any order of the files", () => {
  const files = { "node_modules/b/package.json": npm("b"), "node_modules/a/package.json": npm("a") };
  const again = { ...files, "x/node_modules/a/package.json": npm("a") };
  expect(names(again)).toEqual(["a", "b"]);
  expect(names(Object.fromEntries(Object.entries(files).reverse()))).toEqual(["a", "b"]);
});

describe("a hostile package", () => {
  it.each([
    ["npm: nested lists", "node_modules/a/package.json", "", "["],
    ["npm: empty objects", "node_modules/a/package.json", "[0", ",{}"],
    ["Debian: empty paragraphs", "var/lib/dpkg/status", "", "a:\n\n"],
    ["Debian: fields of one paragraph", "var/lib/dpkg/status", "", "#:\n"],
    ["Debian: licences", "usr/share/doc/a/copyright", "Format:\n", "License: #\n"],
    ["Python: fields of one paragraph", "site-packages/a.dist-info/METADATA", "", "#:\n"],
  ])("fills no memory: %s", async (_, path, start, text) => {
    const limits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8 };
    const worker = new Worker(new URL("./testdata/look.ts", import.meta.url), {
      ...{ workerData: { path, start, text }, resourceLimits: limits },
    });
    expect(await once(worker, "exit")).toEqual([0]);
  });

  it("names no more packages than memory holds", () => {
    const text = Array.from({ length: 200_000 }, (_, index) => `Package: a${index}\nVersion: 1\n`).join("\n");
    expect(() => found({ "var/lib/dpkg/status": text })).toThrow(userErrorWith("file-invalid", "var/lib/dpkg/status"));
  });

  it("has no name of its whole file in memory", () => {
    expect(found({ "usr/share/doc/a/copyright": `Format:\nLicense: ${"x".repeat(1 << 20)}\n` }).packages).toEqual([]);
  });
});
