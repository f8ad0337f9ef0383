import { join } from "node:path";
import { readCorpus } from "../../jobs/testdata/corpus.ts";

/** Documents that describe no service. */
export const malformed = readCorpus(join(import.meta.dirname, "malformed.txt"));
