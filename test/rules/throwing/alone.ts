import { check } from "./lib/tide.ts";

type Depth = { readonly depth: number };

const given: Depth = { depth: 3 };
check(given);
