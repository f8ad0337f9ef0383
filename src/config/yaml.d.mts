/** Types of yaml.mjs. */
export { isPair, isScalar, LineCounter, parseAllDocuments, parseDocument, visit } from "yaml";
