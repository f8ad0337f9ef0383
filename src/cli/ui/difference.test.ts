import { expect, it } from "vitest";
import { sha256 } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/media-types.ts";
import { type FolderUsage, type LayerUsage, UsageTable } from "../image/tree/usage.ts";
import { differences } from "./difference.ts";

function layer(files: Readonly<Record<string, number>>, hidden: readonly string[] = []): LayerUsage {
  const table = new UsageTable();
  const root = table.root();
  const usr = table.folder(root, "usr");
  for (const [name, size] of Object.entries(files)) {
    const file = table.file(usr, name);
    table.size[file] = size;
    table.isHidden[file] = Number(hidden.includes(name));
  }
  const descriptor = { mediaType: mediaTypes.layer, digest: sha256("l"), size: 1 };
  return { descriptor, comment: "", root: table.view(root) as FolderUsage };
}

it("finds the files that are in one of them or have another size, the largest differences first", () => {
  const base = layer({ same: 5, old: 7 });
  const one = [base, layer({ gone: 10, changed: 100 })];
  const other = [layer({ same: 5, old: 7 }, ["old"]), layer({ changed: 130, fresh: 1 })];
  expect(differences(one, other)).toEqual({
    count: 4,
    files: [
      { path: "/usr/changed", before: 100, after: 130 },
      { path: "/usr/gone", before: 10 },
      { path: "/usr/old", before: 7 },
      { path: "/usr/fresh", after: 1 },
    ],
  });
  expect(differences(one, one)).toEqual({ count: 0, files: [] });
});

it("names the largest differences of very many", () => {
  const many = layer(Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`f${index}`, index + 1])));
  const { count, files } = differences([], [many]);
  expect({ count, shown: files.length, first: files[0] }).toEqual({
    ...{ count: 600, shown: 500, first: { path: "/usr/f599", after: 600 } },
  });
});
