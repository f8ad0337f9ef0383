// Writes what is made from the imports: imports.bzl and the table of docs/design.md.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { foldersTable, importsIn } from "./folders.ts";
import { importsFile, openRepository } from "./scan.ts";

const root = dirname(dirname(import.meta.dirname));
writeFileSync(join(import.meta.dirname, "imports.bzl"), importsFile(openRepository(root)));
const page = join(root, "docs/design.md");
const table = foldersTable(importsIn(join(root, "src")));
writeFileSync(
  page,
  readFileSync(page, "utf8").replace(/\| folder, highest first(.*\n)(\|.*\n)*/, () => `${table}\n`),
);
