import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { commandLinePage } from "./command-line.ts";
import { configPage } from "./config.ts";
import { errorsPage } from "./errors.ts";
import { sections } from "./markdown.ts";
import { pythonPage } from "./python.ts";
import { settingsPage } from "./settings.ts";
import { starlarkPage } from "./starlark.ts";
import { parseTextProto } from "./text-proto.ts";
import { typescriptPage } from "./typescript.ts";

/** Where the pages are in the repository. */
export const referenceFolder = "docs/reference";

const read = (path: string) => readFileSync(path, "utf8");

/**
 * Makes every page of the reference. Runs where Bazel has put the sources, and what was extracted from the Starlark,
 * into one folder.
 *
 * @param runfiles the folder that the command line was built into
 * @returns name of a page to its text
 */
export async function makePages(runfiles: string): Promise<ReadonlyMap<string, string>> {
  const starlark = readdirSync("bazel")
    .filter((file) => file.endsWith(".bzl"))
    .sort();
  const pages = new Map<string, string>();
  for (const file of starlark) {
    const name = file.replace(/\.bzl$/, "");
    pages.set(`${file}.md`, starlarkPage(`bazel/${file}`, parseTextProto(read(`docs/${name}.textproto`))));
  }
  pages.set("settings.md", settingsPage(read("bazel/settings/BUILD.bazel")));
  pages.set("command-line.md", await commandLinePage(join(runfiles, "_main/src/slipway")));
  pages.set("typescript.md", typescriptPage("src/sdk/index.ts", '# `import … from "slipway"`'));
  const modules = readdirSync("python/slipway").filter((file) => /^_[a-z]\w*\.py$/.test(file));
  pages.set(
    "python.md",
    pythonPage(
      read("python/slipway/__init__.py"),
      modules.map((file) => read(`python/slipway/${file}`)),
    ),
  );
  pages.set("config.yaml.md", configPage());
  pages.set("errors.md", errorsPage());
  pages.set("README.md", index([...pages]));
  return pages;
}

function index(pages: readonly (readonly [name: string, text: string])[]): string {
  const entries = pages.map(([name, text]) => {
    const [title = ""] = text.split("\n");
    const symbols = [...text.matchAll(/^## (.+)$/gm)].map(([, symbol]) => symbol ?? "");
    return `- [${title.replace("# ", "")}](${name})${symbols.length > 0 ? `: ${symbols.join(", ")}` : ""}`;
  });
  return sections(
    "# Reference",
    "Generated from docstrings by `tools/bazel run //docs:update`; a test tells when it has to be run.",
    entries.join("\n"),
  );
}
