/** The language of a function: `module:name` is Python, the path of a module is Node. */
export function functionLanguage(name: string): "python" | "node" | undefined {
  // A file of Python is no module's name.
  if (/\.py:/.test(name)) return undefined;
  if (
    /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*:[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(name)
  )
    return "python";
  const isInside = !name.startsWith("/") && !name.split("/").includes("..") && !name.includes(":");
  return isInside && /^[^\p{Cc}]+\.[cm]?[jt]s$/u.test(name) ? "node" : undefined;
}

/** An `interpreter_path`: the Node that runs Slipway itself. */
export const ownInterpreter = "SLIPWAY_INTERPRETER";
