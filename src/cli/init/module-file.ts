interface Call {
  readonly name: string;
  readonly text: string;
}

/** Read as text, since Bazel may not be installed yet. */
export class ModuleFile {
  readonly #calls: readonly Call[];
  readonly #names: ReadonlySet<string>;

  constructor(text: string) {
    const code = withoutComments(text);
    this.#calls = callsOf(code);
    const assigned = [...code.matchAll(/^(\w+)\s*=(?!=)/gm)].map(([, name = ""]) => name);
    const repositories = this.#named("use_repo").flatMap(({ text }) => [...text.matchAll(/"([^"]+)"/g)]);
    this.#names = new Set([...assigned, ...repositories.map(([, name = ""]) => name)]);
  }

  get hasName(): boolean {
    return this.#named("module").some((call) => argument(call, "name") !== undefined);
  }

  isModule(name: string): boolean {
    return this.#named("module").some((call) => argument(call, "name") === name);
  }

  dependency(module: string): { readonly repoName: string } | undefined {
    const call = this.#named("bazel_dep").find((each) => argument(each, "name") === module);
    return call && { repoName: argument(call, "repo_name") ?? module };
  }

  override(module: string): string | undefined {
    const call = this.#calls.find(
      (each) => /^\w+_override$/.test(each.name) && argument(each, "module_name") === module,
    );
    return call?.text;
  }

  extension(file: string, name: string): string | undefined {
    return this.#calls
      .filter(({ text }) => / = use_extension\(/.test(text) && text.includes(`"${file}"`) && text.includes(`"${name}"`))
      .map(({ name: assignment }) => assignment)[0];
  }

  /** Finds a tag by another of its arguments. */
  tagged(variable: string, tag: string, argumentName: string, label: string): string | undefined {
    const call = this.#named(`${variable}.${tag}`).find(
      (each) => argument(each, argumentName)?.replace(/^@*(?=\/\/)/, "") === label,
    );
    return call && argument(call, "name");
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  #named(name: string): readonly Call[] {
    return this.#calls.filter((call) => call.name === name);
  }
}

function argument({ text }: Call, name: string): string | undefined {
  return new RegExp(`[(,\\s]${name}\\s*=\\s*["']([^"']*)["']`).exec(text)?.[1];
}

function withoutComments(text: string): string {
  return text.replace(
    /("""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|#.*/g,
    (_, literal?: string) => literal ?? "",
  );
}

function callsOf(code: string): Call[] {
  const calls: Call[] = [];
  for (const match of code.matchAll(/^(?:(\w+)\s*=\s*)?([\w.]+)\(/gm)) {
    const end = closing(code, match.index + match[0].length);
    calls.push({ name: match[1] ?? match[2] ?? "", text: code.slice(match.index, end) });
  }
  return calls;
}

function closing(code: string, start: number): number {
  let depth = 1;
  for (const match of code.slice(start).matchAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[()]/g)) {
    if (match[0] === "(") depth++;
    else if (match[0] === ")") depth--;
    if (depth === 0) return start + match.index + 1;
  }
  return code.length;
}
