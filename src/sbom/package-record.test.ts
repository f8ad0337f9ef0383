import { expect, it } from "vitest";
import { packageUrl } from "./package-record.ts";

const debian = { id: "debian", versionId: "12" };

it.each([
  [{ type: "npm", name: "@fastify/cors", version: "1.0.0" }, "pkg:npm/%40fastify/cors@1.0.0"],
  [{ type: "npm", name: "JSONStream", version: "1.0.0" }, "pkg:npm/JSONStream@1.0.0"],
  [{ type: "npm", name: "a b!'()*/~?#", version: "1" }, "pkg:npm/a%20b%21%27%28%29%2A/~%3F%23@1"],
  [{ type: "pypi", name: "Typing_Extensions", version: "4.1+cu118" }, "pkg:pypi/typing-extensions@4.1%2Bcu118"],
  [
    { type: "deb", name: "libstdc++6", version: "1:12.2+b1", architecture: "amd64", source: "gcc-12@12.2" },
    "pkg:deb/debian/libstdc%2B%2B6@1:12.2%2Bb1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2",
  ],
  [
    { type: "golang", name: "github.com/Masterminds/semver/v3", version: "v3.2.0" },
    "pkg:golang/github.com/Masterminds/semver/v3@v3.2.0",
  ],
  [{ type: "golang", name: "/example.com//a/", version: "v1" }, "pkg:golang/example.com/a@v1"],
  [{ type: "golang", name: "stdlib", version: "1.24.1" }, "pkg:golang/stdlib@1.24.1"],
  [{ type: "cargo", name: "serde", version: "1.0.0", license: "MIT" }, "pkg:cargo/serde@1.0.0"],
  [{ type: "generic", name: "node", version: "24.0.0" }, "pkg:generic/node@24.0.0"],
  [{ type: "generic", name: "\u00fc\ud800", version: "1" }, "pkg:generic/%C3%BC%EF%BF%BD@1"],
] as const)("gives %j the package URL %s", (record, url) => {
  expect(packageUrl(record, debian)).toBe(url);
});

it("names the distribution and the release of a Debian package as far as they are known", () => {
  const record = { type: "deb", name: "bash", version: "5.2" } as const;
  expect(packageUrl(record)).toBe("pkg:deb/debian/bash@5.2");
  expect(packageUrl(record, { id: "ubuntu" })).toBe("pkg:deb/ubuntu/bash@5.2");
  expect(packageUrl(record, { id: "ubuntu", versionId: "24.04" })).toBe("pkg:deb/ubuntu/bash@5.2?distro=ubuntu-24.04");
});
