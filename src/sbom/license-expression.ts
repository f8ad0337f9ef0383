import parse from "spdx-expression-parse";

/**
 * The SPDX licence expression that a text is, with operators in upper case: SPDX 2.3, Annex D.
 *
 * @returns undefined for other texts, and for references to licences (`LicenseRef-`), which only a document with their texts can have
 */
export function licenseExpression(text: string): string | undefined {
  // The parser skips characters that it does not know.
  if (!/^[A-Za-z0-9.+() -]+$/.test(text) || text.includes("LicenseRef-")) return undefined;
  try {
    parse(text);
  } catch {
    return undefined;
  }
  return text.trim().replace(/(?<=[ )])(?:and|or|with)(?=[ (])/gi, (operator) => operator.toUpperCase());
}
