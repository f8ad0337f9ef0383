import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { commandsOf, refusalOf, refusalOfMention, slipwayArguments } from "./command-lines.ts";
import { type Block, fileOf, isShell, type Page, shellLines, writtenPages } from "./page.ts";
import { type Call, callsOf } from "./starlark.ts";

// Vite cannot import texts.
vi.mock("../../pnpm-lock.yaml", () => ({ default: readFileSync("pnpm-lock.yaml", "utf8") }));

const pages = writtenPages();
const codeOf = (page: Page, language: string) => page.blocks.filter((block) => block.language === language);
const shellOf = (page: Page) => page.blocks.filter(isShell);
const starlark = pages.flatMap((page) => codeOf(page, "starlark"));

const reference = "docs/reference";
const starlarkPages = readdirSync(reference).filter((name) => name.endsWith(".bzl.md"));
/**
 * File to its symbols, and symbol to its arguments: `defs.bzl` has `pipeline`, `extensions.bzl` has
 * `base_images.pull`.
 */
const symbols = new Map<string, string[]>();
const files = new Map<string, string[]>();
for (const name of starlarkPages) {
  const sections = readFileSync(join(reference, name), "utf8").split(/^(?=##+ )/m);
  for (const section of sections.slice(1)) {
    const symbol = /^##+ (\S+)/.exec(section)?.[1] ?? "";
    const keys = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key ?? "");
    // A macro and a rule may share their name.
    symbols.set(symbol, [...(symbols.get(symbol) ?? []), ...keys]);
    files.set(name.slice(0, -".md".length), [...(files.get(name.slice(0, -".md".length)) ?? []), symbol]);
  }
}
/** A macro that passes on what another one takes. */
const passesTo: Readonly<Record<string, string>> = { py_pipeline: "pipeline" };
/** Bazel's own functions and rules in our pages. */
const bazel = new Set(
  "archive_override bazel_dep filegroup genrule git_override load local_path_override use_extension use_repo".split(
    " ",
  ),
);
/** Attributes of every rule. */
const common = ["name", "tags", "testonly", "visibility"];

/** The names that blocks load from files. */
function loaded(calls: readonly Call[]): [file: string, name: string][] {
  return calls
    .filter(({ name }) => name === "load")
    .flatMap(({ texts: [file = "", ...names] }) => names.map((name): [string, string] => [file, name]));
}

/** What is wrong with the calls of a page. */
function mistakesOf(page: Page): string[] {
  const checked = codeOf(page, "starlark").filter((block) => !block.isShown);
  const calls = checked.map((block) => [block, callsOf(block.text)] as const);
  const all = calls.flatMap(([, each]) => each);
  const foreign = new Set(
    loaded(all)
      .filter(([file]) => !file.startsWith("@slipway//"))
      .map(([, name]) => name),
  );
  const extensions = new Map(
    all.filter(({ name }) => name === "use_extension").map(({ variable, texts }) => [variable, texts] as const),
  );
  const mistakes: string[] = [];
  const complain = ({ place }: Block, text: string) => mistakes.push(`${place}: ${text}`);
  for (const [block, each] of calls) {
    for (const [file, name] of loaded(each)) {
      const ours = /^@slipway\/\/bazel:(.*)$/.exec(file)?.[1];
      if (file.startsWith("@slipway//") && !files.get(ours ?? "")?.includes(name))
        complain(block, `${file} has no ${name}`);
    }
    for (const { name, keys, texts } of each) {
      if (name === "use_extension" && !files.get("extensions.bzl")?.includes(texts[1] ?? "")) {
        complain(block, `there is no extension ${texts[1]}`);
      }
      if (bazel.has(name) || foreign.has(name)) continue;
      const [head = "", tag] = name.split(".");
      const symbol = tag === undefined ? name : `${extensions.get(head)?.[1] ?? head}.${tag}`;
      const taken = symbols.get(symbol);
      if (taken === undefined) {
        complain(block, `there is no ${symbol}`);
        continue;
      }
      const known = [...taken, ...(symbols.get(passesTo[symbol] ?? "") ?? []), ...common];
      for (const key of keys) if (!known.includes(key)) complain(block, `${symbol} has no ${key}`);
    }
  }
  return mistakes;
}

/** Command lines in running text and in tables, such as `slipway job rm ID…`. */
function inlineCommands({ text }: Page): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, "").replace(/^ {4}.*$/gm, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code]) => (code ?? "").replace(/[[\]…]| COMMAND| --help/g, ""));
}

it("every Starlark block is one that Bazel's parser accepts", () => {
  const folder = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? tmpdir(), "starlark-"));
  const written = starlark.map((block) => {
    const file = fileOf(block) ?? "";
    const path = join(folder, block.place, ["MODULE.bazel", "WORKSPACE"].includes(file) ? file : "BUILD.bazel");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, block.text);
    return path;
  });
  const words = ["node_modules/@bazel/buildifier/buildifier.js", "-mode=check", "-format=json", ...written];
  const { stdout, stderr } = spawnSync("node", words, { encoding: "utf8" });
  const { files } = JSON.parse(stdout) as { files: { filename: string; valid: boolean }[] };
  expect(files).toHaveLength(starlark.length);
  expect(
    files.filter(({ valid }) => !valid).map(({ filename }) => filename),
    stderr,
  ).toEqual([]);
});

describe.each(pages.map((page) => [page.path, page] as const))("%s", (_, page) => {
  it("calls rules that exist, with attributes that they have", () => {
    expect(mistakesOf(page)).toEqual([]);
  });

  it("names labels that exist", () => {
    const labels = [...page.text.matchAll(/@slipway\/\/([\w/]*):([\w.]+)/g)];
    const missing = labels.filter(([, folder = "", name = ""]) => {
      const build = join(folder, "BUILD.bazel");
      if (name.endsWith(".bzl")) return !existsSync(join(folder, name));
      return !existsSync(build) || !readFileSync(build, "utf8").includes(`name = "${name}"`);
    });
    expect(missing.map(([label]) => label)).toEqual([]);
  });

  it("has shell lines that a shell can read", () => {
    const wrong = shellOf(page).filter(({ text }) => spawnSync("sh", ["-n"], { input: text }).status !== 0);
    expect(wrong.map(({ place }) => place)).toEqual([]);
  });

  it("has command lines that slipway accepts", async () => {
    const refused: string[] = [];
    for (const line of shellOf(page).flatMap(shellLines)) {
      for (const args of commandsOf(line).map(slipwayArguments)) {
        const refusal =
          args === undefined ? undefined : await refusalOf(args.map((word) => word.replace(/[[\]…]/g, "")));
        if (refusal !== undefined) refused.push(`${line}: ${refusal}`);
      }
    }
    for (const code of inlineCommands(page)) {
      const [args] = commandsOf(code).map(slipwayArguments);
      const refusal = args === undefined || args.length === 0 ? undefined : await refusalOfMention(args);
      if (refusal !== undefined) refused.push(`${code}: ${refusal}`);
    }
    expect(refused).toEqual([]);
  });

  it("sets variables that Slipway reads", () => {
    const known = readFileSync("docs/environment.md", "utf8");
    const set = page.blocks.flatMap(({ text }) =>
      [...text.matchAll(/\b(SLIPWAY_[A-Z_]+)=/g)].map(([, name]) => name ?? ""),
    );
    expect(set.filter((name) => !known.includes(`\`${name}\``))).toEqual([]);
  });
});

it("the checks refuse what is wrong", async () => {
  expect(await refusalOf(["job", "run", "job.yaml", "--detach"])).toBeUndefined();
  expect(await refusalOf(["job", "run", "job.yaml", "--detatch"])).toMatch(/Unknown argument: detatch/);
  expect(await refusalOf(["job", "rin", "job.yaml"])).toMatch(/Unknown|rin/);
  expect(await refusalOf(["job", "run"])).toMatch(/^Not enough/);
  expect(await refusalOfMention(["job", "run"])).toBeUndefined();
  expect(await refusalOfMention(["job", "run", "--detatch", "FILE"])).toMatch(/Unknown argument: detatch/);
  const page = (text: string): Page => ({
    path: "p",
    text: "",
    blocks: [{ place: "p:1", language: "starlark", text, isShown: false, needs: undefined }],
  });
  expect(mistakesOf(page('pipeline(\n    name = "a",\n    bases = {"x": ":y"},\n)\n'))).toEqual([]);
  expect(mistakesOf(page('pipeline(name = "a", baze = "b")\n'))).toEqual(["p:1: pipeline has no baze"]);
  expect(mistakesOf(page('pipelin(name = "a")\n'))).toEqual(["p:1: there is no pipelin"]);
  expect(mistakesOf(page('load("@slipway//bazel:defs.bzl", "py_pipeline")\n'))).toEqual([
    "p:1: @slipway//bazel:defs.bzl has no py_pipeline",
  ]);
});

it("counts the blocks that only illustrate", () => {
  const blocks = pages
    .flatMap((page) => page.blocks)
    .filter((block) => block.language === "starlark" || isShell(block));
  const shown = blocks.filter(({ isShown }) => isShown);
  console.log(
    `${shown.length} of ${blocks.length} blocks are shown only: ${shown.map(({ place }) => place).join(", ")}`,
  );
  expect(shown.length).toBeLessThan(20);
});
