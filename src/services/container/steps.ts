import { differencesOf } from "../../config/difference.ts";
import { type Change, withoutVariables } from "../change.ts";
import type { Found } from "./containers.ts";
import type { Facts } from "./facts.ts";
import { replicaName } from "./labels.ts";

/** The step for one replica. */
export interface Step {
  readonly change: Change;
  readonly replica: number;
  /** Whether a container replaces the former ones. */
  readonly isWanted: boolean;
  /** The right container, which does not run. */
  readonly present?: Found;
  /** Containers to remove. An interrupted change leaves two. */
  readonly former: readonly Found[];
}

export interface Goal {
  readonly service: string;
  readonly replicas: number;
  readonly facts: Facts;
  readonly hash: string;
}

const startable: ReadonlySet<string> = new Set(["created", "configured", "initialized", "exited", "stopped"]);

export function stepsTo({ service, replicas, facts, hash }: Goal, existing: readonly Found[]): readonly Step[] {
  const steps: Step[] = [];
  for (let replica = 0; replica < replicas; replica += 1) {
    const here = existing.filter((each) => each.replica === replica);
    const right = here.find((each) => each.hash === hash && (each.state === "running" || startable.has(each.state)));
    const former = here.filter((each) => each !== right);
    if (right?.state === "running" && former.length === 0) continue;
    steps.push({
      change: {
        kind: "Container",
        name: replicaName({ service, replica }),
        ...actionOf(right, former, facts),
      },
      replica,
      isWanted: true,
      ...(right === undefined ? {} : { present: right }),
      former,
    });
  }
  const surplus = new Set(existing.filter(({ replica }) => replica >= replicas).map(({ replica }) => replica));
  for (const replica of surplus) {
    const former = existing.filter((each) => each.replica === replica);
    const change = { action: "delete", kind: "Container", name: replicaName({ service, replica }) } as const;
    steps.push({ change, replica, isWanted: false, former });
  }
  return steps;
}

function actionOf(
  right: Found | undefined,
  former: readonly Found[],
  facts: Facts,
): Pick<Change, "action" | "fields" | "differences"> {
  const before = former.find(({ state }) => state === "running") ?? former[0];
  if (before === undefined) return { action: right === undefined ? "create" : "start" };
  const differences = differencesOf(before.facts, facts).map(withoutVariables);
  if (differences.length === 0) return { action: "change", fields: ["state"] };
  return { action: "change", fields: differences.map(({ field }) => field), differences };
}
