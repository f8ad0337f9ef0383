import { createReadStream, createWriteStream, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { indexTar, type TarEntry } from "../../src/debian/tar-index.ts";

const folder = mkdtempSync(join(tmpdir(), "layers-"));
afterAll(() => rmSync(folder, { recursive: true }));

const blobs = (target: string) => globSync(`${target}.*.tar.gz`, { cwd: import.meta.dirname }).sort();

/** What a layer holds below the runfiles folder: `PATH` of a file, `PATH -> TARGET` of a link. */
async function contents(name: string): Promise<string[]> {
  const tar = join(folder, name);
  await pipeline(createReadStream(join(import.meta.dirname, name)), createGunzip(), createWriteStream(tar));
  const file = await open(tar);
  const entries = await indexTar(file, name);
  await file.close();
  return entries
    .filter(({ type }) => type !== "directory")
    .map((entry: TarEntry) => {
      const path = entry.path.startsWith("app/main.runfiles/") ? entry.path.slice(18) : `/${entry.path}`;
      return entry.type === "symlink" ? `${path} -> ${entry.target}` : path;
    })
    .sort();
}

const files = "_main/test/rules/odd_program.files";

describe("the layers of any executable", () => {
  it.each([
    ["genrule", "generated.sh"],
    ["file", "program.sh"],
  ])("hold a program that is a %s, which is in no runfiles", async (how, file) => {
    expect(await contents(`by_${how}_layers.first_party.tar.gz`)).toEqual([
      `/app/by_${how} -> /app/main.runfiles/_main/test/rules/${file}`,
      `_main/test/rules/${file}`,
    ]);
  });

  it("lay its runfiles out as Bazel does", async () => {
    expect(blobs("odd_layers")).toEqual([
      "odd_layers.first_party.tar.gz",
      "odd_layers.runtime.tar.gz",
      "odd_layers.third_party_3.tar.gz",
      "odd_layers.third_party_7.tar.gz",
    ]);
    expect(await contents("odd_layers.first_party.tar.gz")).toEqual(
      [
        "/app/odd -> /app/main.runfiles/_main/test/rules/odd_program",
        "_main/named/by/symlinks.txt",
        "_main/test/rules/main.ts",
        "_main/test/rules/odd_program",
        "_repo_mapping",
        "rooted/text.txt",
        `${files}/dangling -> ../nowhere/to be found`,
        `${files}/generated.txt`,
        `${files}/tree/absolute`,
        `${files}/tree/file`,
        `${files}/tree/folder/up -> ../file`,
        `${files}/tree/link -> file`,
        `${files}/tree/sub/up -> ../file`,
      ].sort(),
    );
  });

  it("have packages of others apart, in few layers", async () => {
    const yaml = await contents("odd_layers.third_party_3.tar.gz");
    expect(yaml.every((path) => path.includes("slipway_dev_npm/node_modules/yaml/"))).toBe(true);
    expect(yaml.length).toBeGreaterThan(10);
    expect(await contents("odd_layers.third_party_7.tar.gz")).toEqual([
      `${files}/node_modules/package -> .store/package`,
    ]);
  });

  it("have the runtime apart", async () => {
    expect(await contents("odd_layers.runtime.tar.gz")).toEqual([expect.stringMatching(/\/node$/)]);
  });

  it("are the same whether depsets or paths tell where files belong", () => {
    const metadata = (target: string) =>
      globSync(`${target}.*.layer.json`, { cwd: import.meta.dirname })
        .sort()
        .map((name) => [name.slice(target.length), readFileSync(join(import.meta.dirname, name), "utf8")]);
    const names = ["first_party", ...[3, 4, 6, 7].map((number) => `third_party_${number}`)];
    expect(metadata("layers_by_depsets").map(([name]) => name)).toEqual(names.map((name) => `.${name}.layer.json`));
    expect(metadata("layers_by_depsets")).toEqual(metadata("layers_by_files"));
  });

  it("leave out what patterns exclude, and follow the patterns that name layers", async () => {
    expect(blobs("chosen_layers")).toEqual(["chosen_layers.first_party.tar.gz", "chosen_layers.trees.tar.gz"]);
    expect(await contents("chosen_layers.trees.tar.gz")).toEqual([
      `${files}/tree/absolute`,
      `${files}/tree/file`,
      `${files}/tree/sub/up -> ../file`,
    ]);
    expect(await contents("chosen_layers.first_party.tar.gz")).toEqual(
      [
        "/app/chosen -> /app/main.runfiles/_main/test/rules/odd_program",
        "_main/test/rules/main.ts",
        "_main/test/rules/odd_program",
        "_repo_mapping",
        `${files}/dangling -> ../nowhere/to be found`,
        `${files}/node_modules/package -> .store/package`,
      ].sort(),
    );
  });
});
