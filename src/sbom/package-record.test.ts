import { expect, it } from "vitest";
import { packageUrl } from "./package-record.ts";

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
