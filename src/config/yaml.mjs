/** The YAML parser, in a file beside the launcher: in its own file it would be read at every start. JavaScript, so that sources run without a build. */
export { isPair, isScalar, LineCounter, parseAllDocuments, parseDocument, visit } from "yaml";
