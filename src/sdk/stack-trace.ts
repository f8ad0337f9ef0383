import { findSourceMap } from "node:module";

// What the bundle of a program defines, in ts_binary.bzl.

/** What the names of sources in the source map begin with. */
declare const slipwayScheme: string;
/** The folder there of what actions make. */
declare const slipwayGenerated: string;
/** The source that is the SDK. */
declare const slipwaySdk: string;

/**
 * Names the sources in stack traces, by their path in the workspace, and leaves the SDK's frames out. Node alone would name them by an absolute
 * address, which leads nowhere on this machine and in the image. A program starts with this; the source map is read with the first stack.
 */
Error.prepareStackTrace = (error, frames) =>
  [headOf(error), ...frames.map(lineOf).filter((line) => line !== undefined)].join("\n    at ");

/** Name and message, with the code of Node's own errors, as Node writes them. */
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

/** One frame, or undefined for one of the SDK. */
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
    // Whatever a source map of others holds: an error in here would hide the error.
    return text;
  }
}
