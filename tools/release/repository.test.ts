import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { packedReadme, releaseUrl, repositoryOf } from "./repository.ts";

const metadata = readFileSync(".bcr/metadata.template.json", "utf8");
const source = readFileSync(".bcr/source.template.json", "utf8");
const published = metadata.replaceAll("OWNER", "team");

describe("a repository that is published", () => {
  it("has an address, and its release one below it", () => {
    expect(repositoryOf(published)).toBe("https://github.com/team/slipway");
    expect(releaseUrl(source, published, "9.8.7")).toBe(
      "https://github.com/team/slipway/releases/download/v9.8.7/slipway-9.8.7.tar.gz",
    );
  });

  it("is where links of a packed README lead", () => {
    const text = "[a](docs/a.md#b), [b](https://example.com), [c](#c)";
    expect(packedReadme(text, published, "9.8.7")).toBe(
      "[a](https://github.com/team/slipway/blob/v9.8.7/docs/a.md#b), [b](https://example.com), [c](#c)",
    );
  });
});

describe("a repository that is not published yet", () => {
  const unpublished = published.replaceAll("team", "OWNER");

  it("has no address", () => {
    expect(repositoryOf(unpublished)).toBeUndefined();
    expect(releaseUrl(source, unpublished, "1")).toBeUndefined();
  });

  it("has a packed README without links to it", () => {
    expect(packedReadme("[docs/](docs/README.md): [b](https://example.com)", unpublished, "1")).toBe(
      "docs/: [b](https://example.com)",
    );
  });
});
