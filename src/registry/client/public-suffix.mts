/** The Public Suffix List, in a file beside the launcher: few runs need its 130 KB. */
export { getDomain } from "tldts";
