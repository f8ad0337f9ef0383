import type { Content } from "../content.ts";
import type { Service } from "../model.ts";
import type { Facts } from "./facts.ts";

/** A service with its exact image, commits and versions of models. */
export interface Meaning {
  readonly service: Service;
  readonly facts: Facts;
  readonly contents: readonly Content[];
}
