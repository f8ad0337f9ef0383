import type { Content } from "../content.ts";
import type { Service } from "../model.ts";
import type { Facts } from "./facts.ts";

/** A service, and what it means on this machine: the exact image, commits and versions. */
export interface Meaning {
  readonly service: Service;
  readonly facts: Facts;
  readonly contents: readonly Content[];
}
