/** The YAML parser, in a file beside the launcher: in its own file it would be read at every start. */
export { isMap, isScalar, isSeq, LineCounter, Pair, parseDocument } from "yaml";
