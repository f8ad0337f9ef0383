import { describe, expect, it } from "vitest";
import { failureWith } from "../../../core/testdata/reported.ts";
import { header } from "../../../layer/header.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { sha256 } from "../../../oci/digest.ts";
import { treeFile } from "../../ui/shell.ts";
import { treeAnswer } from "./page-data.ts";
import { formatUsage, type ImageUsage } from "./text.ts";
import {
  type FileUsage,
  type FolderUsage,
  isFolder,
  type LayerUsage,
  markHidden,
  readLayer,
  type TableLayer,
  UsageTable,
} from "./usage.ts";

/** A layer of files by path and size, and folders by a path with a slash at its end. */
async function layer(files: Record<string, number>, comment = "", table = new UsageTable()): Promise<TableLayer> {
  const blocks = Object.entries(files).flatMap(([path, size]) =>
    path.endsWith("/")
      ? [header({ type: "directory", path: path.slice(0, -1) }, 0)]
      : [
          header({ type: "file", path, content: { bytes: Buffer.alloc(0) } }, size),
          Buffer.alloc(Math.ceil(size / 512) * 512),
        ],
  );
  const blob = Buffer.concat([...blocks, Buffer.alloc(1024)]);
  const descriptor: Descriptor = {
    mediaType: "application/vnd.oci.image.layer.v1.tar",
    digest: sha256(blob),
    size: blob.length,
  };
  const open = async function* () {
    yield blob;
  };
  return readLayer({ descriptor, comment }, open, table);
}

function image(layers: readonly LayerUsage[]): ImageUsage {
  return { name: "localhost:5000/team/app:v1", digest: sha256("m"), platform: "linux/amd64", layers, referrers: [] };
}

function hidden(node: FileUsage | FolderUsage, path = ""): string[] {
  if (!isFolder(node)) return node.isHidden ? [path] : [];
  return [...node.children].flatMap((child) => hidden(child, path === "" ? child.name : `${path}/${child.name}`));
}

describe("readLayer", () => {
  it("sums files by folder", async () => {
    const { root } = await layer({ "usr/lib/a": 1000, "usr/lib/b": 500, "usr/bin/": 0, "etc/c": 7 });
    expect(root).toMatchObject({ size: 1507, files: 3, hidden: 0 });
    expect(root.child("usr")).toMatchObject({ size: 1500, files: 2 });
  });

  it("says which layer is damaged", async () => {
    const { descriptor } = await layer({ a: 1 });
    const broken = readLayer({ descriptor, comment: "" }, async function* () {
      yield Buffer.from("x".repeat(600));
    });
    await expect(broken).rejects.toThrow(failureWith("image-invalid", descriptor.digest));
  });
});

describe("a path of thousands of folders", () => {
  it("is an error that names the layer", async () => {
    const deep = layer({ [`${"d/".repeat(20_000)}file`]: 1 });
    await expect(deep).rejects.toThrow(failureWith("image-invalid", /^sha256:/));
  });
});

describe("markHidden", () => {
  it.each<[string, Record<string, number>, string[]]>([
    ["the same file", { "a/b": 1 }, ["a/b"]],
    ["a file in a folder's place", { a: 1 }, ["a/b", "a/c/d"]],
    ["a folder in a file's place", { "a/b/": 0 }, ["a/b"]],
    ["a folder that is there", { "a/": 0 }, []],
    ["a file that is removed", { "a/.wh.b": 0 }, ["a/b"]],
    ["a folder that is removed", { ".wh.a": 0 }, ["a/b", "a/c/d"]],
    ["a folder that is emptied", { "a/c/.wh..wh..opq": 0 }, ["a/c/d"]],
    ["everything removed", { ".wh..wh..opq": 0 }, ["a/b", "a/c/d", "e"]],
    ["what was never there", { "x/.wh.y": 0, "a/.wh.z": 0 }, []],
  ])("of a layer with %s", async (_, upper, expected) => {
    const table = new UsageTable();
    const lower = await layer({ "a/b": 10, "a/c/d": 20, e: 30 }, "", table);
    const layers = [lower, await layer(upper, "", table)];
    markHidden(layers);
    expect(hidden(layers[0]?.root as FolderUsage).sort()).toEqual(expected);
    expect(hidden(layers[1]?.root as FolderUsage)).toEqual([]);
  });
});

describe("formatUsage", () => {
  it("shows layers, and folders by size, without what is small", async () => {
    const table = new UsageTable();
    const layers = [
      await layer({ "usr/lib/x/big": 90_000, "usr/share/doc": 9000, "etc/passwd": 100 }, "Debian packages", table),
      await layer({ "usr/share/doc": 50, "na\u001bme": 1000 }, "", table),
    ];
    markHidden(layers);
    const lines = formatUsage(image(layers), 2).split("\n");
    expect(lines[0]).toBe("localhost:5000/team/app:v1  linux/amd64");
    expect(lines[2]).toMatch(/to pull, 100 kB unpacked: 2 layers, 5 files$/);
    expect(lines.slice(4, 12)).toEqual([
      "layer 1: Debian packages",
      layers[0]?.descriptor.digest,
      expect.stringMatching(/99\.1 kB unpacked, of which later layers hide 9\.0 kB$/),
      " 99.0 kB 100%  usr/",
      " 90.0 kB  91%    lib/x/",
      "  9.0 kB   9%    share/",
      "",
      "layer 2",
    ]);
    expect(lines.at(-3)).toBe("  1.0 kB  95%  na\\u001bme");
  });
});

describe("treeFile", () => {
  it("stands alone, and lets no name in an image become part of the page", async () => {
    const layers = [await layer({ "a/</script><script>alert(1)</script>": 5 })];
    const answer = treeAnswer({ ...image(layers), name: "<b>&" });
    const page = treeFile(answer, 'show("</script>")');
    expect(page).not.toMatch(/https?:\/\//);
    expect(page.match(/<\/script>/g)?.length).toBe(2);
    expect(page).toContain("<title>&#60;b&#62;&#38;: 5 B in 1 layer</title>");
    const [, data = "", script = ""] =
      /id="image">(.*)<\/script>\n<script type="module">(.*)<\/script>/.exec(page) ?? [];
    expect(JSON.parse(data)).toEqual(answer);
    expect(script).toBe('show("<\\/script>")');
  });
});

describe("treeAnswer", () => {
  it("does not name each of very many small files", async () => {
    const files = Object.fromEntries(Array.from({ length: 61_000 }, (_, index) => [`f${index}`, index < 10 ? 1 : 2]));
    const data = JSON.stringify(treeAnswer(image([await layer(files)])));
    expect(data).toContain('["f500",2]');
    expect(data).not.toContain('["f5",1]');
    expect(data).toContain('["",10]');
  });
});
