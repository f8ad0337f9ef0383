/** A call at the left margin of a Starlark file. */
export interface Call {
  /** `pipeline`, `base_images.pull`. */
  readonly name: string;
  /** Names of its arguments. */
  readonly keys: readonly string[];
  /** Texts among its arguments, in order. */
  readonly texts: readonly string[];
  /** The variable that its result is assigned to. */
  readonly variable: string | undefined;
}

/** The calls of a file that Bazel's parser accepts. */
export function callsOf(file: string): Call[] {
  const calls: Call[] = [];
  let depth = 0;
  let open: { name: string; keys: string[]; texts: string[]; variable: string | undefined } | undefined;
  const tokens = /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#.*|(?<![\w.])([a-z_][\w.]*)(?=\s*(\(|=(?!=))?)|[([{}\])]/g;
  let variable: string | undefined;
  for (const { 0: token, 1: name, 2: next } of file.matchAll(tokens)) {
    if (token.startsWith('"')) open?.texts.push(token.slice(1, -1));
    else if (depth === 0 && name !== undefined && next === "=") variable = name;
    else if (depth === 0 && name !== undefined && next === "(") {
      open = { name, keys: [], texts: [], variable };
      calls.push(open);
      variable = undefined;
    } else if (depth === 1 && name !== undefined && next === "=") open?.keys.push(name);
    else if ("([{".includes(token)) depth++;
    else if (")]}".includes(token)) depth--;
    if (depth === 0 && ")]}".includes(token)) open = undefined;
  }
  return calls;
}
