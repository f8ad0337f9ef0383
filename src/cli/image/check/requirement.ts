import type { CheckedImage, Mistake } from "./image.ts";

export interface Requirement {
  readonly id: string;
  readonly title: string;
  /** Whether it can be tested if some layers were not read. */
  readonly ofRegistry?: boolean;
  check(image: CheckedImage): Promise<Mistake | undefined>;
}

/** `untested` if missing or damaged layers make it unknown. */
export type Outcome = { readonly requirement: Requirement } & (
  | { readonly status: "met" | "untested" }
  | ({ readonly status: "failed" } & Mistake)
);

export async function checkRequirements(image: CheckedImage, requirements: readonly Requirement[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const requirement of requirements) {
    if (!image.isWhole && !requirement.ofRegistry) {
      outcomes.push({ requirement, status: "untested" });
      continue;
    }
    const problem = await requirement.check(image);
    outcomes.push(problem ? { requirement, status: "failed", ...problem } : { requirement, status: "met" });
  }
  return outcomes;
}
