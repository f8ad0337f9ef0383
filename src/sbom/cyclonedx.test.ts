import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sha256 } from "../oci/digest.ts";
import type { ImageContents } from "./contents.ts";
import { cyclonedx } from "./cyclonedx.ts";
import { imageContents } from "./testdata/contents.ts";

const library = dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json"));
const schema = (name: string) =>
  JSON.parse(readFileSync(join(library, "res/schema", `${name}.SNAPSHOT.schema.json`), "utf8"));
const names = ["spdx", "jsf-0.82", "cryptography-defs"];
const schemas = Object.fromEntries(
  names.map((name) => [`http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`, schema(name)]),
);
const validate = new Ajv({ strict: false, validateFormats: false, schemas }).compile(schema("bom-1.6"));

const contents: ImageContents = {
  name: "registry.example.com/team/app",
  digest: sha256("image"),
  platform: { os: "linux", architecture: "arm64", variant: "v8" },
  base: { name: "docker.io/library/debian", digest: sha256("base") },
  distribution: { id: "debian", versionId: "12" },
  layers: [
    {
      digest: sha256("layer"),
      packages: [
        {
          type: "npm",
          name: "@a/b",
          version: "1.0.0",
          license: "MIT or ISC",
          checksums: { sha1: "0123456789".repeat(4), md5: "0123456789".repeat(4) },
        },
        { type: "pypi", name: "c", version: "2", license: "BSD" },
      ],
    },
  ],
};

it("is valid by the published schema", () => {
  const errors = (text: string) => (validate(JSON.parse(text)) ? [] : validate.errors);
  fc.assert(
    fc.property(imageContents, (some) => {
      expect(errors(cyclonedx.format(some))).toEqual([]);
    }),
  );
  expect(errors(cyclonedx.format(contents).replace('"SHA-1"', '"SHA1"'))).not.toEqual([]);
});

it("describes the image, its base, layers and packages", () => {
  const { metadata, components, dependencies } = JSON.parse(cyclonedx.format(contents));
  const hex = (text: string) => sha256(text).slice("sha256:".length);
  expect(metadata.component).toMatchObject({
    type: "container",
    name: "registry.example.com/team/app",
    version: sha256("image"),
    hashes: [{ alg: "SHA-256", content: hex("image") }],
    purl: `pkg:oci/app@${sha256("image")}?arch=arm64&repository_url=registry.example.com%2Fteam%2Fapp`,
    pedigree: { ancestors: [{ name: "docker.io/library/debian", version: sha256("base") }] },
    properties: [{ name: "slipway:platform", value: "linux/arm64/v8" }],
  });
  const [system, layer, npm, pypi] = components;
  expect(components).toHaveLength(4);
  expect(system).toMatchObject({ type: "operating-system", name: "debian", version: "12" });
  expect(layer).toMatchObject({ type: "file", hashes: [{ alg: "SHA-256", content: hex("layer") }] });
  expect(npm).toEqual({
    type: "library",
    "bom-ref": expect.stringMatching(/^[0-9a-f]{32}$/),
    name: "@a/b",
    version: "1.0.0",
    hashes: [{ alg: "SHA-1", content: "0123456789".repeat(4) }],
    licenses: [{ expression: "MIT OR ISC", acknowledgement: "declared" }],
    purl: "pkg:npm/%40a/b@1.0.0",
  });
  expect(pypi.licenses).toEqual([{ license: { name: "BSD", acknowledgement: "declared" } }]);
  expect(dependencies).toEqual([
    { ref: metadata.component["bom-ref"], dependsOn: [system["bom-ref"], layer["bom-ref"]] },
    { ref: layer["bom-ref"], dependsOn: [npm["bom-ref"], pypi["bom-ref"]] },
  ]);
});
