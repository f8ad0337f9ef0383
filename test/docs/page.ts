import { readdirSync, readFileSync } from "node:fs";

/** Code in a page: a fenced block, or indented lines. */
export interface Block {
  /** `PAGE:LINE` of its first line. */
  readonly place: string;
  /** The word after the fence. `indented` for lines without one. */
  readonly language: string;
  readonly text: string;
  /** `<!-- shown -->` before the block: it illustrates, and cannot run. */
  readonly isShown: boolean;
  /** `<!-- needs: PART -->` before the block: it runs on machines that have this part. */
  readonly needs: string | undefined;
}

/** A page of the documentation. */
export interface Page {
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** The pages that people wrote, unlike those in docs/reference. */
export function writtenPages(): Page[] {
  const names = readdirSync("docs").filter((name) => name.endsWith(".md"));
  const root = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
  return [...root, ...names.map((name) => `docs/${name}`)].map(readPage);
}

export function readPage(path: string): Page {
  const text = readFileSync(path, "utf8");
  return { path, text, blocks: blocksOf(path, text) };
}

function blocksOf(path: string, text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  let marks: { isShown: boolean; needs: string | undefined } = { isShown: false, needs: undefined };
  for (let number = 0; number < lines.length; number++) {
    const line = lines[number] ?? "";
    const [, mark, value] = /^<!-- (shown|needs)(?:: (\S+))? -->$/.exec(line) ?? [];
    if (mark !== undefined) {
      marks = { isShown: marks.isShown || mark === "shown", needs: value ?? marks.needs };
      continue;
    }
    const [, fenced] = /^```(\w*)$/.exec(line) ?? [];
    const isIndented = line.startsWith("    ") && lines[number - 1] === "";
    if (fenced === undefined && !isIndented) {
      if (line !== "") marks = { isShown: false, needs: undefined };
      continue;
    }
    const start = fenced === undefined ? number : number + 1;
    const isEnd = (each: string) => (fenced === undefined ? !/^( {4}|$)/.test(each) : each === "```");
    let end = start;
    while (end < lines.length && !isEnd(lines[end] ?? "")) end++;
    const content = lines.slice(start, end).map((each) => (fenced === undefined ? each.slice(4) : each));
    const place = `${path}:${start + 1}`;
    blocks.push({ place, language: fenced ?? "indented", text: `${content.join("\n").trimEnd()}\n`, ...marks });
    marks = { isShown: false, needs: undefined };
    number = fenced === undefined ? end - 1 : end;
  }
  return blocks;
}

/** The file that a block names in a comment on its first line: `# pkg/BUILD.bazel`, `// main.ts`. */
export function fileOf({ text }: Block): string | undefined {
  return /^(?:#|\/\/) ([\w./~-]*(?:\.\w+|WORKSPACE))\b/.exec(text)?.[1];
}

/** The lines of a shell block. A line that ends in `\` continues on the next one. */
export function shellLines({ text }: Pick<Block, "text">): string[] {
  return text
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Programs that begin a command in indented lines. Other indented lines are output. */
const programs = /^([A-Z_]+=\S* )*(\S*\/)?(bazel|slipway|npx|podman|docker|pass|tar|git)( |$)/;

/** Whether a block is for a shell. */
export function isShell({ language, text }: Block): boolean {
  return language === "sh" || (language === "indented" && programs.test(text));
}
