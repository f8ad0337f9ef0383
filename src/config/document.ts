import type { Node, Pair, Document as YamlDocument } from "yaml";
import type { ErrorCode } from "../core/error-codes.ts";
import { UserError } from "../core/errors.ts";
import type { Mistake } from "./mistake.ts";
// By the name of what it is built to: it lies beside the launcher as a file of its own.
import { isPair, isScalar, LineCounter, parseAllDocuments, parseDocument, visit } from "./yaml.mjs";

/** Bytes of the largest document that is read. */
export const maximumDocument = 1024 * 1024;

/** Pairs and groups that may lie in one another. */
const maximumDepth = 100;

const maximumShown = 10;

// The parser compares every key with all others of its group to find one that is there twice.
const parsing = { prettyErrors: false, logLevel: "error", uniqueKeys: false } as const;

interface PlacedMistake {
  readonly offset: number;
  readonly problem: string;
  readonly remedy: string;
}

/** A YAML or JSON document that knows where each of its values stands. */
export class Document {
  /** Plain data: objects with own keys, lists, texts, numbers, booleans, null. */
  readonly value: unknown;
  readonly #root: Node | null;
  readonly #lines: LineCounter;
  readonly #name: string;
  readonly #isSecretive: boolean;
  /** The fields of each group by name. */
  readonly #fields = new Map<unknown, Map<unknown, Pair>>();

  private constructor(document: YamlDocument.Parsed, lines: LineCounter, name: string, isSecretive: boolean) {
    this.#name = name;
    this.#lines = lines;
    this.#isSecretive = isSecretive;
    this.#root = document.contents;
    const [error] = document.errors;
    if (error) {
      const parsers = isSecretive ? spokenApart[error.code] : `: ${decapitalized(error.message)}`;
      const problem = spoken[error.code] ?? `is neither YAML nor JSON${parsers ?? ""}`;
      const remedy = "Correct it there, or just before.";
      throw this.#error([{ offset: error.pos[0], problem: `the document ${problem}`, remedy }], "file-invalid");
    }
    this.#refuseSpecialities();
    this.value = document.toJS();
  }

  /** @throws UserError for neither YAML 1.2 nor JSON, and for more than plain data. Quotes nothing if secretive */
  static parse(text: string, name: string, isSecretive = false): Document {
    const lines = new LineCounter();
    return new Document(parseDocument(text, { ...parsing, lineCounter: lines }), lines, name, isSecretive);
  }

  /** Leaves out empty ones. Errors quote field names alone: a password behind a wrong indentation is a key. */
  static parseAllSecretive(text: string, name: string): Document[] {
    const lines = new LineCounter();
    const documents = parseAllDocuments(text, { ...parsing, lineCounter: lines });
    const read = [...documents].map((document) => new Document(document as YamlDocument.Parsed, lines, name, true));
    const full = read.filter(({ value }) => value !== null);
    return full.length > 0 ? full : [read[0] ?? new Document(parseDocument("", parsing), lines, name, true)];
  }

  /** In the order of the document. Each of several has its remedy in the next line. */
  error(mistakes: readonly Mistake[], code: ErrorCode = "field-invalid"): UserError {
    return this.#error(
      mistakes.map((mistake) => {
        const { path, problem, remedy, name = this.#path(path) } = mistake;
        return { offset: this.#offset(mistake), problem: `${name} ${problem}`, remedy };
      }),
      code,
    );
  }

  #error(mistakes: readonly PlacedMistake[], code: ErrorCode): UserError {
    const inOrder = mistakes.toSorted((one, other) => one.offset - other.offset);
    const shown = inOrder.slice(0, maximumShown).map(({ offset, problem, remedy }) => {
      const at = this.#at(offset);
      return { at, problem: `${at}: ${problem}.`, remedy };
    });
    const { at: culprit, problem, remedy } = shown[0] ?? { at: this.#at(0), problem: "", remedy: "" };
    if (mistakes.length <= 1) return new UserError({ code, culprit }, problem, remedy);
    const lines = shown.flatMap((each) => [each.problem, `  ${each.remedy}`]);
    const hidden = mistakes.length - shown.length;
    if (hidden > 0) lines.push(`${hidden} more follow.`);
    return new UserError({ code, culprit }, lines, `Correct these ${mistakes.length} mistakes.`);
  }

  /** `NAME:LINE:COLUMN` of a value. */
  placeOf(path: readonly PropertyKey[]): string {
    return this.#at(this.#offset({ path }));
  }

  #path(path: readonly PropertyKey[]): string {
    if (!this.#isSecretive) return formatPath(path);
    return formatPath(path, (key) => (isFieldName(key) ? key : hiddenKey));
  }

  /** What YAML has beyond plain data makes documents that mean more than they say. */
  #refuseSpecialities(): void {
    const found: PlacedMistake[] = [];
    const refuse = (
      { range }: { readonly range?: readonly number[] | null | undefined },
      problem: string,
      remedy: string,
    ) => {
      found.push({ offset: range?.[0] ?? 0, problem: `the document has ${problem}`, remedy });
    };
    const check = (_: unknown, node: Node, above: readonly unknown[]) => {
      if (above.length > maximumDepth) {
        refuse(node, "too many values in one another here", "Make it flatter.");
        return visit.BREAK;
      }
      const tag = "tag" in node ? node.tag : undefined;
      if (tag && !plainTags.has(tag)) {
        const named = this.#isSecretive ? "a tag" : `the tag ${tag.replace("tag:yaml.org,2002:", "!!")}`;
        refuse(node, named, "Leave it out.");
      }
      return undefined;
    };
    visit(this.#root, {
      Node: check,
      // These two are visited in place of `Node`.
      Map: (key, node, above) => {
        const fields = new Map<unknown, Pair>();
        for (const pair of node.items) {
          const name = keyOf(pair);
          if (name !== undefined && fields.has(name)) {
            refuse(pair.key as Node, "the same key twice", "Correct it there, or just before.");
          }
          fields.set(name, pair);
        }
        this.#fields.set(node, fields);
        return check(key, node, above);
      },
      Alias: (_, node) =>
        refuse(node, this.#isSecretive ? "an alias" : `the alias *${node.source}`, "Write the value out."),
      Pair: (_, { key }) => {
        if (!isScalar(key) || typeof key.value !== "string") {
          refuse(
            (key ?? {}) as Node,
            "a key that is not a text",
            "Write a name, in quotes where it looks like a number.",
          );
        }
      },
    });
    if (found.length > 0) throw this.#error(found, "file-invalid");
  }

  #offset({ path, isKey }: Pick<Mistake, "path" | "isKey">): number {
    let node: unknown = this.#root;
    let offset = this.#root?.range?.[0] ?? 0;
    for (const [index, part] of path.entries()) {
      const pair = this.#fields.get(node)?.get(part);
      const next = pair ? pair.value : itemOf(node, part);
      const key = pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      const value = (next as Node | undefined | null)?.range?.[0];
      const isLast = index === path.length - 1;
      // A missing field is shown where what lacks it is named.
      const found = isLast && !isKey ? (value ?? key) : (key ?? value);
      if (found === undefined) return offset;
      offset = found;
      node = next;
    }
    return offset;
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#name}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }
}

/** Tags of plain data: YAML 1.2, "Core Schema". */
const plainTags: ReadonlySet<string> = new Set(
  ["map", "seq", "str", "int", "float", "bool", "null"].map((name) => `tag:yaml.org,2002:${name}`),
);

/** Mistakes whose description by the parser is for those who know its insides. */
const spoken: Readonly<Record<string, string>> = {
  RESOURCE_EXHAUSTION: "is nested too deeply",
  MULTIPLE_DOCS: "is followed by another one",
  TAB_AS_INDENT: "is indented by a tab, which YAML forbids",
};

/** Replaces the parser's own words, which may show a part of a value. */
const spokenApart: Readonly<Record<string, string>> = {
  BAD_DQ_ESCAPE: ": a backslash in quotes that means nothing there",
  BAD_INDENT: ": wrong indentation",
  BAD_SCALAR_START: ": a value that begins with a reserved character",
  BLOCK_AS_IMPLICIT_KEY: ": a key in the value of another",
  BLOCK_IN_FLOW: ": a block among brackets or braces",
  MISSING_CHAR: ": a quote, a bracket, a brace or a colon is missing",
  MULTILINE_IMPLICIT_KEY: ": a key over several lines",
  UNEXPECTED_TOKEN: ": something is here that belongs elsewhere",
};

function decapitalized(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function keyOf(item: unknown): unknown {
  const key = isPair(item) ? (item as Pair).key : undefined;
  return isScalar(key) ? key.value : undefined;
}

function itemOf(node: unknown, part: PropertyKey): unknown {
  const items = typeof node === "object" && node !== null && "items" in node ? node.items : undefined;
  return Array.isArray(items) && typeof part === "number" ? items[part] : undefined;
}

/** In place of a key that may be a secret. */
export const hiddenKey = "(a key)";

/** An unknown key may be shown if it is letters alone, which tokens and good passwords are not. */
export function isFieldName(key: string): boolean {
  return /^[A-Za-z]{1,24}$/.test(key);
}

/** `interpreter.ContainerAtTag.tag`, `code_paths[1]`; `the document` for its root. */
export function formatPath(path: readonly PropertyKey[], show: (key: string) => string = shownKey): string {
  if (path.length === 0) return "the document";
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      const shown = show(String(part));
      return index === 0 ? shown : `.${shown}`;
    })
    .join("");
}

export function shownKey(key: string): string {
  return /^[\p{L}\p{N}_@./:-]{1,80}$/u.test(key) ? key : JSON.stringify(key.slice(0, 80));
}

/** How people call a value: `a number (3.1)`. Texts are not shown: they may be secrets in the wrong place. */
export function spokenValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" || typeof value === "boolean") return `a ${typeof value} (${value})`;
  return typeof value === "string" ? "a text" : "a group of fields";
}
