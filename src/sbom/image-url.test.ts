import { expect, it } from "vitest";
import { sha256 } from "../oci/digest.ts";
import { imageUrl } from "./image-url.ts";

const digest = sha256("image");

it.each([
  ["ghcr.io/a/b", `pkg:oci/b@${digest}?arch=arm64&repository_url=ghcr.io%2Fa%2Fb`],
  ["debian.example:5000/base:12", `pkg:oci/base@${digest}?arch=arm64&repository_url=debian.example:5000%2Fbase&tag=12`],
  ["docker.io/debian", `pkg:oci/debian@${digest}?arch=arm64&repository_url=docker.io%2Flibrary%2Fdebian`],
  [
    "registry-1.docker.io/library/debian",
    `pkg:oci/debian@${digest}?arch=arm64&repository_url=docker.io%2Flibrary%2Fdebian`,
  ],
  ["localhost/app", `pkg:oci/app@${digest}?arch=arm64&repository_url=localhost%2Fapp`],
])("gives an image of %s the package URL %s", (name, url) => {
  expect(imageUrl(name, digest, { os: "linux", architecture: "arm64" })).toBe(url);
});

it.each(["app", "team/app", "//pkg:app", "@repository//pkg:app", "my.pkg//:app", "ghcr.io/A", ""])(
  "gives none to %j, which names no registry",
  (name) => {
    expect(imageUrl(name, digest)).toBeUndefined();
  },
);
