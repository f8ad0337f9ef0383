import { expect, it } from "vitest";
import { sha256 } from "../oci/digest.ts";
import type { ImageContents } from "./contents.ts";
import type { PackageRecord } from "./package-record.ts";
import { spdx } from "./spdx.ts";

const a: PackageRecord = { type: "npm", name: "a", version: "1.0.0", license: "see LICENSE" };
const b: PackageRecord = {
  type: "deb",
  name: "b",
  version: "2",
  license: "MIT or ISC",
  architecture: "amd64",
  checksums: { sha256: sha256("archive").slice(7) },
};
const contents: ImageContents = {
  name: "registry.example.com/team/app",
  digest: sha256("image"),
  platform: { os: "linux", architecture: "amd64" },
  base: { name: "docker.io/library/debian", digest: sha256("base") },
  distribution: { id: "debian", versionId: "12" },
  layers: [
    { digest: sha256("one"), packages: [a, b, a] },
    { digest: sha256("two"), packages: [a] },
  ],
};

const parse = (some: ImageContents) => JSON.parse(spdx.format(some));

it("describes the image, its base, layers and packages", () => {
  const { packages, relationships } = parse(contents);
  const [image, base, system, one, two, deb, npm] = packages;
  expect(packages).toHaveLength(7);
  expect(image).toEqual({
    SPDXID: `SPDXRef-Image-${sha256("image").slice(7)}`,
    name: "registry.example.com/team/app",
    versionInfo: sha256("image"),
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseDeclared: "NOASSERTION",
    primaryPackagePurpose: "CONTAINER",
    checksums: [{ algorithm: "SHA256", checksumValue: sha256("image").slice(7) }],
    externalRefs: [
      {
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: `pkg:oci/app@${sha256("image")}?arch=amd64&repository_url=registry.example.com%2Fteam%2Fapp`,
      },
    ],
    comment: "Platform: linux/amd64",
  });
  expect(base).toMatchObject({ name: "docker.io/library/debian", versionInfo: sha256("base") });
  expect(system).toMatchObject({ name: "debian", versionInfo: "12", primaryPackagePurpose: "OPERATING_SYSTEM" });
  expect(deb).toMatchObject({
    name: "b",
    licenseDeclared: "MIT OR ISC",
    checksums: [{ algorithm: "SHA256", checksumValue: sha256("archive").slice(7) }],
    externalRefs: [{ referenceLocator: "pkg:deb/debian/b@2?arch=amd64&distro=debian-12" }],
  });
  expect(npm).toMatchObject({
    name: "a",
    licenseDeclared: "NOASSERTION",
    licenseComments: "The package states: see LICENSE",
  });
  const related = relationships.map((item: Record<string, string>) => Object.values(item));
  expect(related).toEqual([
    ["SPDXRef-DOCUMENT", "DESCRIBES", image.SPDXID],
    [image.SPDXID, "DESCENDANT_OF", base.SPDXID],
    [image.SPDXID, "CONTAINS", system.SPDXID],
    [image.SPDXID, "CONTAINS", one.SPDXID],
    [one.SPDXID, "CONTAINS", deb.SPDXID],
    [one.SPDXID, "CONTAINS", npm.SPDXID],
    [image.SPDXID, "CONTAINS", two.SPDXID],
    [two.SPDXID, "CONTAINS", npm.SPDXID],
  ]);
});

it("lists packages of the same URL that state different licences", () => {
  const { packages } = parse({
    ...contents,
    layers: [{ digest: sha256("one"), packages: [a, { ...a, license: "MIT" }] }],
  });
  expect(
    packages
      .slice(-2)
      .map((item: { licenseDeclared: string }) => item.licenseDeclared)
      .sort(),
  ).toEqual(["MIT", "NOASSERTION"]);
});

it("leaves out checksums that are none", () => {
  const checksums = { sha256: "12", crc: "12345678", sha1: "z".repeat(40) };
  const { packages } = parse({ ...contents, layers: [{ digest: sha256("one"), packages: [{ ...a, checksums }] }] });
  expect(packages.at(-1)).not.toHaveProperty("checksums");
});

it("names a package as databases of vulnerabilities do", () => {
  const cpe = "cpe:2.3:a:nodejs:node.js:24.1.0:*:*:*:*:*:*:*";
  const node = { type: "generic", name: "node", version: "24.1.0", cpe } as const;
  const { packages } = parse({ ...contents, layers: [{ digest: sha256("one"), packages: [node] }] });
  const { externalRefs } = packages.find(({ name }: { name: string }) => name === "node");
  expect(externalRefs).toContainEqual({
    referenceCategory: "SECURITY",
    referenceType: "cpe23Type",
    referenceLocator: cpe,
  });
});

it("writes texts that have UTF-8", () => {
  const record: PackageRecord = { type: "npm", name: "\ud800", version: "\ud800", license: "\ud800" };
  const { packages } = parse({ ...contents, layers: [{ digest: sha256("one"), packages: [record] }] });
  expect(packages.at(-1)).toMatchObject({
    name: "\ufffd",
    versionInfo: "\ufffd",
    licenseComments: "The package states: \ufffd",
  });
});
