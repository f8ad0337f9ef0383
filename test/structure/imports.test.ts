import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const source = fileURLToPath(new URL("../../src", import.meta.url));

/** Highest first: a folder imports only from those that follow it. docs/design.md says what each is for. */
const order = [
  "cli",
  "launch",
  "build",
  "sdk",
  "service",
  "engine",
  "deployment",
  "environment",
  "artifact",
  "registry",
  "debian",
  "layer",
  "credentials",
  "oci",
  "core",
];

function importsOf(file: string): { readonly file: string; readonly from: string; readonly to: string }[] {
  const text = readFileSync(join(source, file), "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)].map(
    (match) => match[1] as string,
  );
  return specifiers.map((specifier) => ({
    file,
    from: topFolder(file),
    to: topFolder(relative(source, join(source, dirname(file), specifier))),
  }));
}

function topFolder(path: string): string {
  return path.split("/", 1)[0] as string;
}

describe("the folders of src", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".config.ts"),
  );
  const imports = files.flatMap(importsOf);

  it("are all in the order", () => {
    const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((entry) => entry.name).filter((name) => !order.includes(name))).toEqual([]);
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
});
