export interface Word {
  readonly raw: string;
  readonly value: string;
}

export interface Command {
  readonly line: number;
  readonly words: readonly Word[];
}

type Token = { readonly line: number } & (Word | { readonly operator: string });

const token =
  /(?<continued>\\\n)|(?<blank>[ \t]+)|(?<newline>\n)|(?<comment>(?<=^|[\s;&|()])#.*)|(?<here>\d*<<-?(?!<))|(?<redirect>\d*(?:<<<|[<>]&|&>>?|>>|>\||[<>]))|(?<operator>;;|;|&&|\|\||[|&()])|(?<word>[\s\S])/gy;
const wordPart =
  /\\\n|\\[\s\S]|'[^']*'|"(?:\\[\s\S]|\$\((?:[^()]|\([^()]*\))*\)|\$(?!\()|[^"\\$])*"|\$?\((?:[^()]|\([^()]*\))*\)|`[^`]*`|[^\s;&|()<>\\'"`]|\$/gy;

/** Comments and here-documents are left out. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const documents: string[] = [];
  let line = 1;
  let next: "word" | "delimiter" | "target" = "word";
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at;
    const { groups = {}, 0: found } = token.exec(text) as RegExpExecArray;
    at = token.lastIndex;
    if (groups["newline"] !== undefined) {
      tokens.push({ line, operator: "\n" });
      for (const end of documents.splice(0)) {
        const closing = new RegExp(`^\t*${end.replaceAll(/\W/g, "\\$&")}$`, "m").exec(text.slice(at));
        const body = closing ? text.slice(at, at + closing.index + closing[0].length) : text.slice(at);
        line += body.split("\n").length - 1;
        at += body.length;
      }
    } else if (groups["here"] !== undefined) next = "delimiter";
    else if (groups["redirect"] !== undefined) next = "target";
    else if (groups["operator"] !== undefined) tokens.push({ line, operator: found });
    else if (groups["word"] !== undefined) {
      const raw = wordAt(text, at - 1);
      at += Math.max(raw.length, 1) - 1;
      const value = raw.replaceAll(/\\\n/g, "").replaceAll(/\\([\s\S])|['"]/g, "$1");
      if (next === "delimiter") documents.push(value);
      else if (next === "word") tokens.push({ line, raw: raw.replaceAll(/\\\n/g, ""), value });
      next = "word";
      line += raw.split("\n").length - 1;
      continue;
    }
    line += groups["newline"] !== undefined || groups["continued"] !== undefined ? 1 : 0;
  }
  return tokens;
}

function wordAt(text: string, start: number): string {
  let end = start;
  for (;;) {
    wordPart.lastIndex = end;
    if (!wordPart.test(text)) return text.slice(start, Math.max(end, start + 1));
    end = wordPart.lastIndex;
  }
}

interface Block {
  readonly opener: string;
  condition?: boolean | undefined;
  phase: "condition" | "body" | "else";
  isOver: boolean;
  /** Whether the words are the statement's own: the variable of `for`, the patterns of `case`. */
  isHead: boolean;
}

const openers = ["if", "while", "until", "for", "case", "{", "("];
const closers = ["fi", "done", "esac", "}", ")"];

function isRun({ opener, condition, phase, isOver }: Block): boolean {
  const holds = opener === "until" && condition !== undefined ? !condition : condition;
  return !isOver && (phase !== "body" || holds !== false) && (phase !== "else" || holds !== true);
}

/** Not those below `if false`, after `false &&`, `exit` or `exec`. Functions count as called, `$(…)` as words. */
export function reachableCommands(text: string): Command[] {
  const commands: Command[] = [];
  const blocks: Block[] = [{ opener: "", phase: "body", isOver: false, isHead: false }];
  let words: (Word & { readonly line: number })[] = [];
  let before = "\n";
  let last: boolean | undefined;

  const end = (operator: string) => {
    const [first, ...others] = words;
    words = [];
    const block = blocks.at(-1) as Block;
    if (first && !block.isHead) {
      const isSkipped = (before === "&&" && last === false) || (before === "||" && last === true);
      if (!isSkipped && blocks.every(isRun)) {
        commands.push({ line: first.line, words: [first, ...others] });
        const isLast = first.value === "exit" || (first.value === "exec" && others.length > 0);
        if (isLast && !["&&", "||", "|"].includes(before) && ![")", "|", "&"].includes(operator)) block.isOver = true;
      }
      if (!isSkipped) last = { true: true, ":": true, false: false }[others.length === 0 ? first.value : ""];
      if (block.phase === "condition") block.condition = last;
    }
    before = operator;
  };
  const enter = (phase: Block["phase"]) =>
    Object.assign(blocks.at(-1) as Block, { phase, isOver: false, isHead: false });
  const close = () => {
    if (blocks.length > 1) blocks.pop();
    last = undefined;
  };

  for (const each of tokensOf(text)) {
    const keyword = "operator" in each ? each.operator : words.length === 0 ? each.raw : "";
    const block = blocks.at(-1) as Block;
    const isPattern = block.opener === "case" && block.isHead;
    if (isPattern && (keyword === "(" || keyword === ")")) {
      words = [];
      block.isHead = keyword === "(";
    } else if (openers.includes(keyword)) {
      end(before);
      const phase = ["if", "while", "until"].includes(keyword) ? "condition" : "body";
      blocks.push({ opener: keyword, phase, isOver: false, isHead: keyword === "for" || keyword === "case" });
    } else if (closers.includes(keyword)) {
      end(keyword);
      close();
    } else if (keyword === "then" || keyword === "do") enter("body");
    else if (keyword === "else") enter("else");
    else if (keyword === "elif") Object.assign(enter("condition"), { condition: undefined });
    else if (keyword === ";;") {
      end(keyword);
      enter("body").isHead = true;
    } else if ("operator" in each) end(each.operator);
    else if (keyword !== "!" && !keyword.endsWith("()")) words.push(each);
  }
  end("\n");
  return commands;
}
