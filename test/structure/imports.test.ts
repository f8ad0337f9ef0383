import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { folders, foldersTable, importsIn } from "../../tools/imports/folders.ts";
import { importsFile, openRepository } from "../../tools/imports/scan.ts";

const source = fileURLToPath(new URL("../../src", import.meta.url));

const order = Object.keys(folders);

function topFolder(path: string): string {
  return path.split("/", 1)[0] as string;
}

const importsByFile = importsIn(source);
const files = [...importsByFile.keys()];

describe("the folders of src", () => {
  const imports = [...importsByFile].flatMap(([file, imported]) =>
    imported.map((each) => ({ file, from: topFolder(file), to: topFolder(each) })),
  );

  it("are all in the order", () => {
    const found = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(found.map((entry) => entry.name).sort()).toEqual(order.toSorted());
  });

  it("are found to import each other", () => {
    expect(imports.filter(({ from, to }) => from !== to).length).toBeGreaterThan(20);
  });

  it("import only from folders below them", () => {
    // Texts of files outside, which the bundler puts in.
    const inside = imports.filter(({ to }) => to !== "..");
    const upwards = inside.filter(({ from, to }) => order.indexOf(to) < order.indexOf(from));
    expect(upwards.map(({ file, to }) => `${file} imports from ${to}`)).toEqual([]);
  });

  it("stand in docs/design.md with those that import from them", () => {
    const page = readFileSync(join(source, "../docs/design.md"), "utf8");
    const table = foldersTable(importsByFile);
    expect(page.includes(table), `The table of folders should be:\n\n${table}\n`).toBe(true);
  });
});

describe("the files of src", () => {
  it("import each other in no circle", () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
      else if (!done.has(file)) for (const each of importsByFile.get(file) ?? []) visit(each, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it("that are programs report uncaught errors like others", () => {
    const programs = files.filter((file) => /(^|[/-])main\.ts$/.test(file) && file !== "sdk/main.ts");
    expect(programs.length).toBeGreaterThan(8);
    const silent = programs.filter(
      (file) => !/\b(reportUncaught|runTool)\(/.test(readFileSync(join(source, file), "utf8")),
    );
    expect(silent).toEqual([]);
  });

  it("have their tests beside them: x.test.ts or x.SUBJECT.test.ts tests x.ts, or the folder x", () => {
    const strays = files.filter((file) => {
      const [module] = basename(file).split(".", 1);
      const beside = [`${module}.ts`, `${module}.mts`].some((name) => files.includes(join(dirname(file), name)));
      return file.endsWith(".test.ts") && !beside && module !== basename(dirname(file));
    });
    expect(strays).toEqual([]);
  });
});

it("TypeScript files have kebab-case names", () => {
  const all = ["docs", "src", "test", "tools"].flatMap((folder) =>
    readdirSync(join(source, "..", folder), { recursive: true, encoding: "utf8" }),
  );
  const names = all
    .filter((file) => /\.m?ts$/.test(file) && !file.includes("node_modules/"))
    .map((file) => basename(file));
  expect(names.length).toBeGreaterThan(files.length);
  expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/.test(name))).toEqual([]);
});

it("imports.bzl has the imports of now: else run `node tools/imports/update.ts`", () => {
  const root = join(source, "..");
  expect(readFileSync(join(root, "tools/imports/imports.bzl"), "utf8")).toBe(importsFile(openRepository(root)));
});
