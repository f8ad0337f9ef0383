import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryOf } from "../../tools/release/repository.ts";
import { readVersion, withVersion } from "../../tools/release/version.ts";

/** The pages that people wrote. //test/docs:blocks_test checks their Starlark and shell code. */
const handwritten = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const read = (path: string) => readFileSync(path, "utf8");

function snippets(path: string, language: string): string[] {
  const blocks = read(path).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"));
  return [...blocks].map(([, text]) => text ?? "");
}

describe.each(handwritten)("%s", (path) => {
  it("links to files that are there", () => {
    const targets = [...read(path).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? "");
    // The examples are modules of their own.
    const ours = targets
      .map((target) => join(dirname(path), target))
      .filter((target) => !target.startsWith("examples/"));
    expect(ours.filter((target) => !existsSync(target))).toEqual([]);
  });

  it("imports from slipway what it exports", () => {
    const exported = read("docs/reference/typescript.md");
    const imported = snippets(path, "ts").flatMap((snippet) =>
      [...snippet.matchAll(/^import \{ (.+) \} from "slipway"/gm)].flatMap(([, names]) =>
        (names ?? "").split(/,\s*/).map((name) => name.replace(/^type /, "")),
      ),
    );
    expect(imported.filter((name) => !exported.includes(`\n## ${name}\n`))).toEqual([]);
  });
});

it("has every page in the index", () => {
  const index = read("docs/README.md");
  const pages = handwritten.filter((path) => path.startsWith("docs/") && path !== "docs/README.md");
  expect(pages.filter((path) => !index.includes(`(${path.slice("docs/".length)})`))).toEqual([]);
});

it("says beside every package, archive and dependency that it is not published yet, until it is", () => {
  const users = [...handwritten, "python/README.md"].filter((path) => !/^(CONTRIBUTING|CHANGELOG)/.test(path));
  const isPublished = repositoryOf(read(".bcr/metadata.template.json")) !== undefined;
  const says = (path: string) => /published\s+yet/.test(read(path));
  const names = (path: string) =>
    /(?<!pkg:npm\/)bazel-slipway|\bslipway-\d|bazel_dep\(name = "slipway", v/.test(read(path));
  expect(users.filter(names)).not.toEqual([]);
  expect(users.filter(isPublished ? says : (path) => names(path) && !says(path))).toEqual([]);
});

it("mentions the version of bazel/private/version.bzl alone: else run `node tools/release/update-version.ts`", () => {
  const modules = readdirSync("examples").map((name) => `examples/${name}/MODULE.bazel`);
  const files = [
    ...handwritten.filter((name) => name !== "CHANGELOG.md"),
    ...modules.filter((name) => existsSync(name)),
  ];
  expect(files.length).toBeGreaterThan(handwritten.length + 5);
  const version = readVersion(".");
  expect(files.filter((name) => withVersion(read(name), version) !== read(name))).toEqual([]);
  expect(
    withVersion('bazel_dep(name = "slipway", version = "0.0.9") slipway-0.0.9.tar.gz slipway-0.0.9/tools', "1.2.3"),
  ).toBe('bazel_dep(name = "slipway", version = "1.2.3") slipway-1.2.3.tar.gz slipway-1.2.3/tools');
});
