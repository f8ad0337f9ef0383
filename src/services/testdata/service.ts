import { parseServices, type ServiceDocument } from "../read.ts";

/** The only service of a document: its fields, or its text. */
export function documentOf(spec: object | string, instanceTypes?: readonly string[]): ServiceDocument {
  const text = typeof spec === "string" ? spec : JSON.stringify(spec);
  const [document, ...others] = parseServices(text, "web.yaml", instanceTypes);
  if (!document || others.length > 0) throw new Error("not one service");
  return document;
}

export const serviceOf = (...args: Parameters<typeof documentOf>) => documentOf(...args).service;
