import { expect, it } from "vitest";
import { npmPackage, packageUrl, pythonPackage } from "./package-record.ts";

it.each([
  [{ type: "npm", name: "@fastify/cors", version: "1.0.0" }, "pkg:npm/%40fastify/cors@1.0.0"],
  [{ type: "pypi", name: "Typing_Extensions", version: "4.1" }, "pkg:pypi/typing-extensions@4.1"],
  [
    { type: "deb", name: "libstdc++6", version: "1:12.2+b1", architecture: "amd64" },
    "pkg:deb/debian/libstdc%2B%2B6@1:12.2%2Bb1?arch=amd64",
  ],
  [{ type: "golang", name: "example.com/a/b", version: "v1.2.3" }, "pkg:golang/example.com/a/b@v1.2.3"],
] as const)("gives %j the package URL %s", (record, url) => {
  expect(packageUrl(record)).toBe(url);
});

it("reads the package.json of a package", () => {
  const text = '\uFEFF{"name":"a","version":"1.0.0","license":"MIT"}';
  expect(npmPackage(text)).toEqual({ type: "npm", name: "a", version: "1.0.0", license: "MIT" });
});

it.each(['{"type":"module"}', '{"name":"a"}', "null", "[]", "{"])("finds no package in %s", (text) => {
  expect(npmPackage(text)).toBeUndefined();
});

it("prefers the licence expression, and stops at the description", () => {
  const text =
    "Metadata-Version: 2.4\r\nName: a\r\nVersion: 1\r\nLicense: x\r\nLicense-Expression: MIT\r\n\r\nName: b\r\n";
  expect(pythonPackage(text)).toEqual({ type: "pypi", name: "a", version: "1", license: "MIT" });
  expect(pythonPackage("Name: a\n\nVersion: 1\n")).toBeUndefined();
});
