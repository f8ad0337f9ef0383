import { resolve } from "node:path";
import { API, type Checker, type Symbol as Declared, SymbolFlags } from "typescript/unstable/sync";
import { sections } from "./markdown.ts";

/**
 * The page of a TypeScript module's exports, as the compiler sees them.
 *
 * @param entry path of the module
 * @param heading of the page
 */
export function typescriptPage(entry: string, heading: string): string {
  const api = new API({ cwd: process.cwd() });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [resolve("tsconfig.json")] });
    const project = snapshot.getProject(resolve("tsconfig.json"));
    const file = project?.program.getSourceFile(resolve(entry));
    const module = file && project?.checker.getSymbolAtLocation(file);
    if (!project || !module) throw new Error(`${entry} is not a module of tsconfig.json.`);
    const { checker } = project;
    const exported = [...checker.getExportsOfModule(module)].sort((a, b) => (a.name < b.name ? -1 : 1));
    return sections(heading, ...exported.map((symbol) => symbolSection(checker, symbol)));
  } finally {
    api.close();
  }
}

function symbolSection(checker: Checker, exported: Declared): string {
  const symbol = exported.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const doc = checker.getDocumentationCommentOfSymbol(symbol);
  if (doc === "") throw new Error(`The export ${exported.name} has no documentation.`);
  const tags = checker.getJsDocTagsOfSymbol(symbol).map(({ name, text }) => {
    const [first = "", ...rest] = (text ?? "").split(" ");
    return name === "param" ? `- \`${first}\`: ${rest.join(" ")}` : `- *${name}* ${text}`;
  });
  const declarations = symbol.declarations.map((handle) => declaration(handle.resolve()));
  return sections(
    `## ${exported.name}`,
    `\`\`\`ts\n${declarations.join("\n")}\n\`\`\``,
    doc,
    tags.join("\n").replaceAll(/\n(?!- )/g, " "),
  );
}

type Declaration = ReturnType<Declared["declarations"][number]["resolve"]>;

/** A declaration as its source has it, without what only the implementation needs. */
function declaration(node: Declaration): string {
  if (node === undefined) throw new Error("A declaration is not in the program.");
  const source = node.getSourceFile().text;
  const body = "body" in node ? (node.body as { readonly pos: number } | undefined) : undefined;
  const text = source.slice(node.getStart(), body?.pos ?? node.end).trim();
  // What a class has besides its documented exports is for Slipway alone.
  return text.startsWith("export class") ? text.slice(0, text.indexOf("{")).trim() : text;
}
