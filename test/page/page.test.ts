import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { treeAnswer } from "../../src/cli/image/tree/page-data.ts";
import { markHidden, readLayer, UsageTable } from "../../src/cli/image/tree/usage.ts";
import { treeFile } from "../../src/cli/ui/shell.ts";
import { header } from "../../src/layer/header.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { Page } from "./browser.ts";

let script: string;
beforeAll(async () => {
  const entry = join(import.meta.dirname, "../../src/cli/ui/page/page.ts");
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  script = outputFiles[0]?.text ?? "";
});

function layer(files: Record<string, number>, comment: string, table: UsageTable) {
  const blob = Buffer.concat([
    ...Object.entries(files).flatMap(([path, size]) => [
      header({ type: "file", path, content: { bytes: Buffer.alloc(0) } }, size),
      Buffer.alloc(Math.ceil(size / 512) * 512),
    ]),
    Buffer.alloc(1024),
  ]);
  const descriptor = { mediaType: mediaTypes.layer, digest: sha256(blob), size: blob.length };
  const open = async function* () {
    yield blob;
  };
  return readLayer({ descriptor, comment }, open, table);
}

/** The page in a browser, after something happened in it. */
async function shown(...happens: string[]) {
  const table = new UsageTable();
  const layers = [
    await layer({ "usr/lib/big.so": 900_000, "usr/bin/tool": 90_000, "etc/<b>name": 5000 }, "base", table),
    await layer({ "usr/bin/tool": 80_000, "app/main.js": 20_000 }, "program", table),
  ];
  markHidden(layers);
  const name = "localhost:5000/app:v1";
  const answer = treeAnswer({ name, digest: sha256("m"), platform: "linux/amd64", layers, referrers: [] });
  const folder = mkdtempSync(join(tmpdir(), "slipway-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const file = join(folder, "page.html");
  writeFileSync(file, treeFile(answer, script));
  const page = await Page.open();
  await page.go(`file://${file}`);
  await page.until("document.querySelector('.list button')");
  expect(await page.value("document.title")).toBe("localhost:5000/app:v1: 1.1 MB in 2 layers");
  const happen = async (...happens: string[]) => {
    for (const each of happens) {
      await page.value(`{ ${each} }`);
      // A change is shown with the next frame, and drawn with the one after.
      await page.value(
        "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve))))",
      );
    }
    expect(page.problems).toEqual([]);
  };
  await happen(...happens);
  const text = (selector: string) =>
    page.value<string>(
      `[...document.querySelector(${JSON.stringify(selector)}).querySelectorAll(":not(:has(*))")].map(({ textContent }) => textContent).filter(Boolean).join(" ")`,
    );
  return { page, happen, text, heading: () => page.value<string>("document.querySelector('.heading').textContent") };
}

/** Has the pointer at a place of the treemap, in shares of its size. */
const at = (x: number, y: number, what: string) => `
  const { left, top, width, height } = document.querySelector("canvas").getBoundingClientRect();
  const place = { bubbles: true, clientX: left + ${x} * width, clientY: top + ${y} * height };
  document.querySelector("canvas").dispatchEvent(new MouseEvent("${what}", place));`;
const press = (key: string) =>
  `(document.activeElement ?? document).dispatchEvent(new KeyboardEvent("keydown", { key: "${key}", bubbles: true }))`;

describe("the page of image tree, in a browser", () => {
  it("lists the layers", async () => {
    const { heading, text } = await shown();
    expect(await heading()).toBe("Layers, the lowest first");
    expect(await text(".list")).toMatch(/^base 995 kB 91% \d+ kB to pull program 100 kB 9\.1% \d+ kB to pull$/);
  });

  it("tells what the pointer is at", async () => {
    const { text } = await shown(at(0.3, 0.6, "mousemove"));
    expect(await text(".tip")).toBe("/usr/lib/big.so 900 kB, 82% of the image layer 1: base");
  });

  it("goes into what is clicked, and back", async () => {
    const { happen, heading, text } = await shown(at(0.3, 0.6, "click"));
    expect(await text(".trail")).toBe("All layers base");
    expect(await text(".list")).toBe("usr/ 990 kB 99% etc/ 5.0 kB 0.5%");
    await happen(press("Escape"));
    expect(await heading()).toBe("Layers, the lowest first");
  });

  it("is to be had by keys alone", async () => {
    const click = "document.activeElement.click()";
    const { page, happen, text } = await shown(press("ArrowDown"), press("ArrowDown"), click);
    expect(await text(".trail")).toBe("All layers program");
    await happen(press("Escape"), "document.activeElement.blur()", press("ArrowUp"), press("ArrowUp"), click);
    expect(await text(".trail")).toBe("All layers base");
    await happen(press("/"));
    expect(await page.value("document.activeElement.type")).toBe("search");
  });

  it("finds files, in all layers, and shows names as text", async () => {
    const search = (words: string) =>
      `const search = document.querySelector("input"); search.value = ${JSON.stringify(words)};
       search.dispatchEvent(new InputEvent("input", { bubbles: true }))`;
    const { happen, heading, text } = await shown(search("BIN/tool"));
    expect(await heading()).toBe("2 files found, 170 kB");
    expect(await text(".list")).toBe("tool 90.0 kB 53% /usr/bin/ tool 80.0 kB 47% /usr/bin/");
    await happen(search("<b>"));
    expect(await text(".list")).toBe("<b>name 5.0 kB 100% /etc/");
  });
});
