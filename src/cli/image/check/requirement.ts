import type { CheckedImage } from "./image.ts";

/** Why a requirement is not met. */
export interface Problem {
  /** The file, path or field. */
  readonly where: string;
  /** One clause, without a full stop. */
  readonly problem: string;
  /** What to do, one sentence. */
  readonly remedy: string;
}

/** What an image must be to be used by something. */
export interface Requirement {
  /** One word, for scripts. */
  readonly id: string;
  /** The requirement as a sentence, for people. */
  readonly title: string;
  /** Whether it can be tested on an image of which not all layers were read. */
  readonly ofRegistry?: boolean;
  /** The first problem found. */
  check(image: CheckedImage): Promise<Problem | undefined>;
}

/** How the test of one requirement ended; `untested` when layers are missing or damaged, so that nothing can be said. */
export type Outcome = { readonly requirement: Requirement } & (
  | { readonly status: "met" | "untested" }
  | ({ readonly status: "failed" } & Problem)
);

/** Tests all of them. */
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
