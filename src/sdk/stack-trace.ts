import { findSourceMap } from "node:module";

// Constants that ts_binary.bzl defines in a program's bundle.

/** Prefix of the sources' names in the source map. */
declare const slipwayScheme: string;
/** The folder of generated files in the source map. */
declare const slipwayGenerated: string;
declare const slipwaySdk: string;

/**
 * Shows sources in stack traces by their path in the workspace, and omits the SDK's frames. Node alone would print
 * absolute URLs that do not exist on this machine or in the image. The source map is read only for the first stack.
 */
Error.prepareStackTrace = (error, frames) =>
  [headOf(error), ...frames.map(lineOf).filter((line) => line !== undefined)].join("\n    at ");

/** Name and message as Node writes them, with the code of Node's own errors. */
function headOf(error: Error & { readonly code?: unknown }): string {
  try {
    const head = Error.prototype.toString.call(error);
    const { code, name } = error;
    if (typeof code !== "string" || !code.startsWith("ERR_") || !head.startsWith(`${name}: `)) return head;
    return `${name} [${code}]${head.slice(name.length)}`;
  } catch {
    return "Error";
  }
}

/** One frame. Undefined for the SDK's own frames. */
function lineOf(frame: NodeJS.CallSite): string | undefined {
  const text = String(frame);
  try {
    const [file, line, column] = [frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()];
    if (!file || !line || !column) return text;
    const origin = findSourceMap(file)?.findEntry(line - 1, column - 1);
    if (origin === undefined || !("originalLine" in origin)) return text;
    const source = decodeURI(origin.originalSource).replace(/^file:\/\//, "");
    const path = source.startsWith(slipwayScheme) ? source.slice(slipwayScheme.length) : source;
    if (path === slipwaySdk) return undefined;
    const place = `${path.replace(slipwayGenerated, "bazel-bin")}:${origin.originalLine + 1}:${origin.originalColumn + 1}`;
    return text.replace(`${file}:${line}:${column}`, () => place);
  } catch {
    // A broken source map must not hide the original error.
    return text;
  }
}
