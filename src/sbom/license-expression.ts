import parse from "spdx-expression-parse";

/** SPDX 2.3, Annex D. Undefined for other texts, and for `LicenseRef-`, which needs a document with its text. */
export function licenseExpression(text: string): string | undefined {
  if (text.includes("LicenseRef-")) return undefined;
  try {
    return write(parse(text));
  } catch {
    return undefined;
  }
}

function write(info: parse.Info, within?: "and" | "or"): string {
  if ("license" in info) {
    return `${info.license}${info.plus ? "+" : ""}${info.exception === undefined ? "" : ` WITH ${info.exception}`}`;
  }
  const { left, conjunction, right } = info;
  const written = `${write(left, conjunction)} ${conjunction.toUpperCase()} ${write(right, conjunction)}`;
  return conjunction === "or" && within === "and" ? `(${written})` : written;
}
