import fc from "fast-check";
import { type Digest, sha256 } from "../../oci/digest.ts";
import type { ImageContents } from "../contents.ts";
import type { PackageRecord } from "../package-record.ts";

const digest = fc.nat(5).map((number): Digest => sha256(`${number}`));

const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 1, unit: "binary" }), fc.constant("\ud800"));

const name = fc.oneof(
  text,
  fc.constantFrom("libstdc++6", "@scope/name", "JSONStream", "Typing_Extensions", "example.com/a/b", "stdlib"),
);

const license = fc.oneof(
  fc.constantFrom("MIT", "(MIT OR Apache-2.0)", "GPL-2.0-or-later with Classpath-exception-2.0", "BSD", "LicenseRef-own"),
  text,
);

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: digits, maxLength: digits });

/** Records of packages, with odd and repeated texts. */
export const packageRecord: fc.Arbitrary<PackageRecord> = fc.record(
  {
    type: fc.constantFrom("cargo", "deb", "generic", "golang", "npm", "pypi"),
    name,
    version: fc.oneof(fc.constantFrom("1.0.0", "1:12.2-14+deb12u1", "v0.0.0-20240101000000-abcdef012345+dirty"), text),
    license,
    architecture: fc.constantFrom("amd64", "all"),
    cpe: fc.constant("cpe:2.3:a:nodejs:node.js:24.1.0:*:*:*:*:*:*:*"),
    source: fc.constantFrom("gcc-12", "gcc-12@12.2.0-14"),
    checksums: fc.record({ sha256: hex(64), sha512: hex(128), sha1: hex(40), crc: hex(8) }, { requiredKeys: [] }),
  },
  { requiredKeys: ["type", "name", "version"] },
);

/** Contents of images, of every shape. */
export const imageContents: fc.Arbitrary<ImageContents> = fc.record(
  {
    name: fc.oneof(fc.constantFrom("app", "//pkg:app", "localhost:5000/team/app", "docker.io/library/debian:12"), text),
    digest,
    platform: fc.record({ os: fc.constant("linux"), architecture: fc.constantFrom("amd64", "arm64") }),
    base: fc.record({ name: fc.constantFrom("debian", "registry.example.com/base", "ghcr.io/a/b:1"), digest }),
    distribution: fc.record(
      { id: fc.oneof(fc.constantFrom("debian", "ubuntu"), text), versionId: fc.oneof(fc.constant("12"), text) },
      { requiredKeys: ["id"] },
    ),
    layers: fc.array(fc.record({ digest, packages: fc.array(packageRecord) })),
  },
  { requiredKeys: ["name", "digest", "layers"] },
);
