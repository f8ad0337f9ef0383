import { expect, it } from "vitest";
import { formatLock } from "../debian/lock.ts";
import { lockedChecksums } from "./locked-checksums.ts";
import type { PackageRecord } from "./package-record.ts";

const sha256 = "ab".repeat(32);
const other = "cd".repeat(32);
const debian = formatLock({
  suites: ["bookworm"],
  components: ["main"],
  architecture: "amd64",
  packages: ["a"],
  excluded: [],
  locked: [{ name: "a", version: "1:2-3", archive: "debian", path: "pool/a.deb", sha256, size: 1 }],
});
const pnpm = `lockfileVersion: '9.0'

packages:

  '@s/a@1.0.0':
    resolution: {integrity: sha512-q80=}
    engines: {node: '>=18'}

  b@2.0.0:
    resolution: {integrity: sha1-q80=}

  patched@1.0.0:
    resolution: {tarball: file:patched.tgz}

snapshots:

  '@s/a@1.0.0(b@2.0.0)': {}
`;
const requirements = `one==1 --hash=sha256:${sha256}
Two_Names[extra]==2 ; python_version > "3" \\
    --hash=sha256:${other}
many==3 \\
    --hash=sha256:${sha256} \\
    --hash=sha256:${other}
`;
const checksums = lockedChecksums([debian, pnpm, requirements]);
const of = (type: PackageRecord["type"], name: string, version: string) => checksums({ type, name, version }).checksums;

it("adds the checksum that a lock names", () => {
  expect(of("deb", "a", "1:2-3")).toEqual({ sha256 });
  expect(of("npm", "@s/a", "1.0.0")).toEqual({ sha512: "abcd" });
  expect(of("npm", "b", "2.0.0")).toEqual({ sha1: "abcd" });
  expect(of("pypi", "one", "1")).toEqual({ sha256 });
  expect(of("pypi", "two-names", "2")).toEqual({ sha256: other });
});

it("adds none where a lock names several, none, or those of another version", () => {
  expect(of("pypi", "many", "3")).toBeUndefined();
  expect(of("npm", "patched", "1.0.0")).toBeUndefined();
  expect(of("deb", "a", "2")).toBeUndefined();
  expect(of("npm", "a", "1:2-3")).toBeUndefined();
});
