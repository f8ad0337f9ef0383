import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sbomFormats } from "./formats.ts";
import { packageUrl } from "./package-record.ts";
import { imageContents } from "./testdata/contents.ts";

interface Read {
  readonly ids: readonly string[];
  readonly edges: readonly (readonly [from: string, to: string])[];
  /** Package URLs by id. */
  readonly urls: ReadonlyMap<string, string>;
  /** Layers' ids by digest. */
  readonly layers: ReadonlyMap<string, string>;
}

function readSpdx(text: string): Read {
  const { SPDXID, packages, relationships } = JSON.parse(text);
  return {
    ids: [SPDXID, ...packages.map((item: { SPDXID: string }) => item.SPDXID)],
    edges: relationships.map((item: Record<string, string>) => [item["spdxElementId"], item["relatedSpdxElement"]]),
    urls: new Map(
      packages.map((item: { SPDXID: string; externalRefs?: [{ referenceLocator: string }] }) => [
        item.SPDXID,
        item.externalRefs?.[0].referenceLocator,
      ]),
    ),
    layers: new Map(packages.map((item: Record<string, string>) => [item["name"], item["SPDXID"]])),
  };
}

function readCycloneDx(text: string): Read {
  const { metadata, components, dependencies } = JSON.parse(text);
  const all = [metadata.component, ...(metadata.component.pedigree?.ancestors ?? []), ...components];
  return {
    ids: all.map((item) => item["bom-ref"]),
    edges: dependencies.flatMap(({ ref, dependsOn }: { ref: string; dependsOn: string[] }) =>
      dependsOn.map((to) => [ref, to]),
    ),
    urls: new Map(all.map((item) => [item["bom-ref"], item.purl])),
    layers: new Map(components.map((item: Record<string, string>) => [item["name"], item["bom-ref"]])),
  };
}

describe.each([
  ["spdx", readSpdx],
  ["cyclonedx", readCycloneDx],
] as const)("%s", async (name, read) => {
  const { format } = await sbomFormats[name]();

  it("gives the same text in any order of packages", () => {
    fc.assert(
      fc.property(imageContents, fc.gen(), (contents, gen) => {
        const layers = contents.layers.map((layer) => ({
          ...layer,
          packages: gen(fc.shuffledSubarray, [...layer.packages], {
            minLength: layer.packages.length,
            maxLength: layer.packages.length,
          }),
        }));
        expect(format({ ...contents, layers })).toBe(format(contents));
      }),
    );
  });

  it("gives each element an ID of its own, and relates elements that are there", () => {
    fc.assert(
      fc.property(imageContents, (contents) => {
        const { ids, edges } = read(format(contents));
        expect(new Set(ids).size).toBe(ids.length);
        expect(new Set(edges.map(String)).size).toBe(edges.length);
        expect(edges.flat().filter((id) => !ids.includes(id))).toEqual([]);
      }),
    );
  });

  it("lists every package of every layer, and no other", () => {
    fc.assert(
      fc.property(imageContents, (contents) => {
        const { edges, urls, layers } = read(format(contents));
        for (const { digest } of contents.layers) {
          const there = contents.layers.filter((layer) => layer.digest === digest).flatMap((layer) => layer.packages);
          const expected = new Set(there.map((record) => packageUrl(record, contents.distribution)));
          const listed = edges.flatMap(([from, to]) => (from === layers.get(digest) ? [urls.get(to)] : []));
          expect(new Set(listed)).toEqual(expected);
        }
      }),
    );
  });

  it("changes its document's identity with the contents", () => {
    fc.assert(
      fc.property(imageContents, imageContents, (one, other) => {
        const identity = (text: string) => JSON.parse(text)[name === "spdx" ? "documentNamespace" : "serialNumber"];
        const [first, second] = [format(one), format(other)];
        expect(identity(first)).toMatch(
          /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
        expect(identity(first) === identity(second)).toBe(first === second);
      }),
    );
  });
});
