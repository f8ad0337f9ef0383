import { expect, it } from "vitest";
import { sha256 } from "../oci/digest.ts";
import type { PackageRecord } from "./package-record.ts";
import { spdx } from "./spdx.ts";

const a: PackageRecord = { type: "npm", name: "a", version: "1.0.0", license: "see LICENSE" };
const b: PackageRecord = { type: "pypi", name: "b", version: "2" };
const image = { name: "app", digest: sha256("image"), base: { name: "debian", digest: sha256("base") } };
const layers = (first: PackageRecord[]) => [
  { digest: sha256("one"), packages: first },
  { digest: sha256("two"), packages: [a] },
];

it("gives the same bytes in any order of packages", () => {
  expect(spdx.format({ ...image, layers: layers([a, b]) })).toBe(spdx.format({ ...image, layers: layers([b, a, b]) }));
});

it("chooses between two licences of a package in any order", () => {
  const other = { ...a, license: "MIT" };
  expect(spdx.format({ ...image, layers: layers([a, other]) })).toBe(
    spdx.format({ ...image, layers: layers([other, a]) }),
  );
});

it("changes its namespace with its contents", () => {
  const namespace = (first: PackageRecord[]) =>
    JSON.parse(spdx.format({ ...image, layers: layers(first) })).documentNamespace;
  expect(namespace([a])).not.toBe(namespace([a, b]));
});

it("lists a package once, related to each of its layers", () => {
  const { packages, relationships } = JSON.parse(spdx.format({ ...image, layers: layers([a, b]) }));
  const ids = packages.map((item: { SPDXID: string }) => item.SPDXID);
  expect(new Set(ids).size).toBe(ids.length);
  expect(packages.map((item: { name: string }) => item.name)).toEqual([
    "app",
    "debian",
    sha256("one"),
    "a",
    "b",
    sha256("two"),
  ]);
  const { SPDXID } = packages[3];
  expect(
    relationships.filter((item: { relatedSpdxElement: string }) => item.relatedSpdxElement === SPDXID),
  ).toHaveLength(2);
  for (const item of relationships) expect(["SPDXRef-DOCUMENT", ...ids]).toContain(item.spdxElementId);
  expect(relationships).toContainEqual({
    spdxElementId: ids[0],
    relationshipType: "DESCENDANT_OF",
    relatedSpdxElement: ids[1],
  });
});
