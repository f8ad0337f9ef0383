import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

/** What people wrote, against the reference, which is generated. */
const handwritten = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const read = (path: string) => readFileSync(path, "utf8");
const reference = readdirSync("docs/reference").map((name) => [name, read(`docs/reference/${name}`)] as const);

/** Symbol to its section, of the pages on Starlark: `pipeline`, `base_images.pull`. */
const symbols = new Map<string, string>();
for (const [name, text] of reference) {
  if (!name.endsWith(".bzl.md")) continue;
  for (const section of text.split(/^(?=##+ )/m).slice(1)) {
    const symbol = /^##+ (\S+)/.exec(section)?.[1] ?? "";
    symbols.set(symbol, (symbols.get(symbol) ?? "") + section);
  }
}
/** A macro that passes on what another one takes. */
const passesTo: Readonly<Record<string, string>> = { py_pipeline: "pipeline" };

function snippets(path: string, language: string): string[] {
  const blocks = read(path).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"));
  return [...blocks].map(([, text]) => text ?? "");
}

/** Calls of a snippet that begin a line: their names, and the names of their arguments. */
function calls(snippet: string): { readonly name: string; readonly keys: string[] }[] {
  return [...snippet.matchAll(/^([a-z_]\w*(?:\.\w+)?)\((?:\n((?: .*\n|\n)*)\)|(.*)\))$/gm)].map(
    ([, name, long, short]) => ({
      name: name ?? "",
      keys: [...(long ?? "").matchAll(/^ {4}(\w+) =/gm), ...(short ?? "").matchAll(/(?:^|, )(\w+) = /g)].map(
        ([, key]) => key ?? "",
      ),
    }),
  );
}

describe.each(handwritten)("%s", (path) => {
  it("links to files that are there", () => {
    const targets = [...read(path).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? "");
    // The examples are modules of their own.
    const ours = targets
      .map((target) => join(dirname(path), target))
      .filter((target) => !target.startsWith("examples/"));
    expect(ours.filter((target) => !existsSync(target))).toEqual([]);
  });

  it("loads symbols that there are, and calls them with arguments that they take", () => {
    const wrong: string[] = [];
    for (const snippet of snippets(path, "starlark")) {
      for (const [, file, names] of snippet.matchAll(/^load\("@slipway\/\/bazel:(\w+\.bzl)", (.+)\)$/gm)) {
        const page = reference.find(([name]) => name === `${file}.md`)?.[1] ?? "";
        for (const [, name] of (names ?? "").matchAll(/"(\w+)"/g)) {
          if (!page.includes(`\n## ${name}\n`)) wrong.push(`${file} has no ${name}`);
        }
      }
      for (const { name, keys } of calls(snippet)) {
        const section = symbols.get(name);
        if (section === undefined) continue;
        const taken = section + (symbols.get(passesTo[name] ?? "") ?? "");
        wrong.push(...keys.filter((key) => !taken.includes(`\`${key}\``)).map((key) => `${name} has no ${key}`));
      }
    }
    expect(wrong).toEqual([]);
  });

  it("imports from slipway what it exports", () => {
    const exported = read("docs/reference/typescript.md");
    const imported = snippets(path, "ts").flatMap((snippet) =>
      [...snippet.matchAll(/^import \{ (.+) \} from "slipway"/gm)].flatMap(([, names]) =>
        (names ?? "").split(/,\s*(?:type )?/),
      ),
    );
    expect(imported.filter((name) => !exported.includes(`\n## ${name}\n`))).toEqual([]);
  });

  it("names commands that there are", () => {
    const page = read("docs/reference/command-line.md");
    const commands = [...page.matchAll(/^##+ slipway (.+)$/gm)].map(([, command]) => command ?? "");
    const groups = new Set(commands.filter((command) => command.includes(" ")).map((command) => command.split(" ")[0]));
    const code = [...read(path).matchAll(/`[^`\n]+`|^ {4}.+$/gm)].map(([text]) => text).join("\n");
    const named = [...code.matchAll(/\bslipway ((?:-- )?)([a-z]+)(?: ([a-z]+))?/g)].map(
      ([, , group = "", command = ""]) => (groups.has(group) && command !== "" ? `${group} ${command}` : group),
    );
    expect(named.filter((name) => !commands.includes(name))).toEqual([]);
  });
});

it("has every page in the index", () => {
  const index = read("docs/README.md");
  const pages = handwritten.filter((path) => path.startsWith("docs/") && path !== "docs/README.md");
  expect(pages.filter((path) => !index.includes(`(${path.slice("docs/".length)})`))).toEqual([]);
});
