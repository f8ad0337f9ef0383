import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { usagePage } from "../../src/cli/image/tree/html.ts";
import { markHidden, readLayer, UsageTable } from "../../src/cli/image/tree/usage.ts";
import { header } from "../../src/layer/header.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";

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

/** The page as the browser has it after `script` ran in it. */
async function shown(script: string): Promise<{ text: (id: string) => string; problem: string }> {
  const table = new UsageTable();
  const layers = [
    await layer({ "usr/lib/big.so": 900_000, "usr/bin/tool": 90_000, "etc/<b>name": 5000 }, "base", table),
    await layer({ "usr/bin/tool": 80_000, "app/main.js": 20_000 }, "program", table),
  ];
  markHidden(layers);
  const page = usagePage({
    name: "localhost:5000/app:v1",
    digest: sha256("m"),
    platform: "linux/amd64",
    layers,
    referrers: [],
  });
  const folder = mkdtempSync(join(tmpdir(), "slipway-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const file = join(folder, "page.html");
  const watch = "<script>onerror = (message) => { document.title = message }</script>";
  writeFileSync(
    file,
    page.replace("<style>", `${watch}<style>`).replace("</html>", `<script>${script}</script></html>`),
  );
  const args = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    `--user-data-dir=${folder}/profile`,
    "--window-size=1200,800",
  ];
  const dom = execFileSync("chromium", [...args, "--dump-dom", `file://${file}`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [, title = ""] = /<title>(.*?)<\/title>/.exec(dom) ?? [];
  return {
    problem: title.startsWith("localhost:5000/app:v1: ") ? "" : title,
    text: (id) => {
      const [, inside = ""] = new RegExp(`id="${id}"[^>]*>(.*?)</(?:div|p)>`, "s").exec(dom) ?? [];
      return inside
        .replace(/<[^>]*>/g, " ")
        .replace(/\s+/g, " ")
        .trim();
    },
  };
}

/** Has the pointer at a place of the treemap, in shares of its size. */
const at = (x: number, y: number, what: string) => `{
  const { left, top, width, height } = document.querySelector("canvas").getBoundingClientRect();
  document.querySelector("canvas").${what}({ clientX: left + ${x} * width, clientY: top + ${y} * height });
}`;

describe("the page of image tree, in a browser", () => {
  it("lists the layers", async () => {
    const { problem, text } = await shown("");
    expect(problem).toBe("");
    expect(text("heading")).toBe("Layers, the lowest first");
    expect(text("list")).toMatch(/^base 995 kB 91% \d+ kB to pull program 100 kB 9\.1% \d+ kB to pull$/);
  });

  it("tells what the pointer is at", async () => {
    const { problem, text } = await shown(at(0.3, 0.6, "onmousemove"));
    expect(problem).toBe("");
    expect(text("tip")).toBe("/usr/lib/big.so 900 kB, 82% of the image");
  });

  it("goes into what is clicked, and back", async () => {
    const inside = await shown(at(0.3, 0.6, "onclick"));
    expect(inside.text("trail")).toBe("All layers base");
    expect(inside.text("list")).toBe("usr/ 990 kB 99% etc/ 5.0 kB 0.5%");
    const back = await shown(`${at(0.3, 0.6, "onclick")} document.onkeydown({ key: "Escape" })`);
    expect(back.text("heading")).toBe("Layers, the lowest first");
  });

  it("is to be had by keys alone", async () => {
    const press = (...keys: string[]) =>
      keys.map((key) => `document.onkeydown({ key: "${key}", preventDefault() {} });`).join("\n");
    const second = `${press("ArrowDown", "ArrowDown")} document.activeElement.click();`;
    expect((await shown(second)).text("trail")).toBe("All layers program");
    const upwards = `${press("ArrowUp", "ArrowUp")} document.activeElement.click();`;
    expect((await shown(upwards)).text("trail")).toBe("All layers base");
  });

  it("finds files, in all layers, and shows names as text", async () => {
    const search = (words: string) => shown(`search.value = ${JSON.stringify(words)}; search.oninput()`);
    const tools = await search("BIN/tool");
    expect(tools.problem).toBe("");
    expect(tools.text("heading")).toBe("2 files found, 170 kB");
    expect(tools.text("list")).toBe("tool 90.0 kB 53% /usr/bin/ tool 80.0 kB 47% /usr/bin/");
    expect((await search("<b>")).text("list")).toBe("&lt;b&gt;name 5.0 kB 100% /etc/");
  });
});
