import parse from "spdx-expression-parse";

/**
 * The SPDX licence expression that a text is, with operators in upper case: SPDX 2.3, Annex D.
 *
 * @returns undefined for other texts, and for references to licences (`LicenseRef-`), which only a document with their texts can have
 */
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
