import { createReadStream, globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createGunzip } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { listTar } from "../../src/layer/read.ts";
import { parseJson } from "../../src/oci/json.ts";

const here = import.meta.dirname;

/** Paths of files and links in the layers of a program, `PATH` or `PATH -> TARGET`, by the layer's name. */
async function layersOf(target: string): Promise<Map<string, string[]>> {
  const layers = new Map<string, string[]>();
  for (const name of globSync(`${target}.*.tar.gz`, { cwd: here })) {
    const paths: string[] = [];
    for await (const entry of listTar(createReadStream(join(here, name)).pipe(createGunzip()))) {
      if (entry.type === "directory") continue;
      paths.push(entry.type === "symlink" ? `${entry.path} -> ${entry.target}` : entry.path);
    }
    layers.set(basename(name, ".tar.gz").replace(`${target}.`, ""), paths);
  }
  return layers;
}

let layers: Map<string, string[]>;
beforeAll(async () => {
  layers = await layersOf("js_layers");
});

const runfiles = "app/main.runfiles";
const store = `${runfiles}/_main/test/rulesets/node_modules/.aspect_rules_js`;
const thirdParty = () => [...layers].filter(([name]) => name.startsWith("third_party")).flatMap(([, paths]) => paths);

describe("a program in the shape of js_binary", () => {
  it("has the runtime, what others wrote and what the workspace wrote in layers of their own", () => {
    expect(layers.get("runtime")).toEqual([expect.stringMatching(/\/node$/)]);
    const bootstrap = /aspect_rules_js\/js\/private\/bootstrap\.cjs$/;
    expect(thirdParty().filter((path) => bootstrap.test(path))).toHaveLength(1);
    expect(
      thirdParty()
        .filter((path) => !bootstrap.test(path))
        .toSorted(),
    ).toEqual(
      [
        `${runfiles}/_main/test/rulesets/node_modules/@badge/label -> ../.aspect_rules_js/@badge+label@0.0.0/node_modules/@badge/label`,
        `${runfiles}/_main/test/rulesets/node_modules/express -> .aspect_rules_js/express@5.1.0/node_modules/express`,
        `${runfiles}/_main/test/rulesets/node_modules/ms -> .aspect_rules_js/ms@2.1.3/node_modules/ms`,
        `${store}/express@5.1.0/node_modules/express/index.js`,
        `${store}/express@5.1.0/node_modules/express/package.json`,
        `${store}/express@5.1.0/node_modules/ms -> ../../ms@2.1.3/node_modules/ms`,
        `${store}/ms@2.1.3/node_modules/ms/index.js`,
        `${store}/ms@2.1.3/node_modules/ms/package.json`,
      ].toSorted(),
    );
    expect(layers.get("first_party")?.toSorted()).toEqual(
      [
        `app/js -> /${runfiles}/_main/test/rulesets/program_/program`,
        `${runfiles}/_main/test/rulesets/main.js`,
        `${store}/@badge+label@0.0.0/node_modules/@badge/label/index.js`,
        `${store}/@badge+label@0.0.0/node_modules/@badge/label/package.json`,
        `${runfiles}/_main/test/rulesets/note.txt`,
        `${runfiles}/_main/test/rulesets/program_/program`,
        `${runfiles}/_repo_mapping`,
      ].toSorted(),
    );
  });

  it("leaves out what patterns exclude: a package with all its files, not the links to it", async () => {
    const paths = [...(await layersOf("bare_layers")).values()].flat();
    const all = [...layers.values()].flat().map((path) => path.replace(/^app\/js /, "app/bare "));
    expect(all.filter((path) => !paths.includes(path)).toSorted()).toEqual([
      `${store}/ms@2.1.3/node_modules/ms/index.js`,
      `${store}/ms@2.1.3/node_modules/ms/package.json`,
    ]);
  });

  it("carries every file once", () => {
    const paths = [...layers.values()].flat();
    expect(paths.length).toBeGreaterThan(15);
    expect(new Set(paths).size).toBe(paths.length);
  });

  it.each([
    ["a first-party file", "first_party", /^first party$/],
    ["a package of the workspace", "of_workspace", /^first party$/],
    ["a package of others", "third_party", /^third party/],
  ])("has one layer built anew when %s was edited", (_, edit, layer) => {
    const before = digests("before");
    const changed = digests(edit).filter(({ digest }) => !before.some((each) => each.digest === digest));
    expect(digests(edit).length).toBe(before.length);
    expect(changed.map(({ comment }) => comment)).toEqual([expect.stringMatching(layer)]);
  });
});

function digests(name: string): { digest: string; comment: string }[] {
  const path = join(here, `digests_${name}.json`);
  return parseJson(readFileSync(path), path)
    .items()
    .map((layer) => ({ digest: layer.get("digest").string(), comment: layer.get("comment").string() }));
}
