import type { CallBatch } from "../calls.ts";

/** One call of a function `f`. */
export const batch: CallBatch = {
  image: `r.example.com/a@sha256:${"0".repeat(64)}`,
  programArguments: [],
  env: {},
  network: "none",
  resources: {},
  name: "f",
  inputs: ["[1]"],
};
