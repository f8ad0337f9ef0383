import type { EngineChoice } from "../choose.ts";
import type { EngineDescription } from "../kind.ts";

/** Describes a choice. */
export function describeEngine(choice: EngineChoice): EngineDescription {
  switch (choice.kind) {
    case "container":
      return { kind: "container", description: `containers of ${choice.client.name}` };
    case "kubernetes":
      return { kind: "kubernetes", description: "pods of Kubernetes" };
    case "process":
      return { kind: "process", description: "processes of this machine" };
  }
}
