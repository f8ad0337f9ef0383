import { command, group } from "../command.ts";
import { printJson } from "./output.ts";

export const service = group("service", {
  schema: [
    "Print the JSON Schema of services, for editors",
    async () => {
      const { serviceJsonSchema } = await import("../../services/schema.ts");
      return { schema: command({}, async () => printJson(serviceJsonSchema())) };
    },
  ],
  "render <file>": [
    "Print the Kubernetes manifests, without contacting the cluster",
    () => import("./service-apply.ts"),
  ],
  "plan <file>": ["Show what `apply` would change", () => import("./service-apply.ts")],
  "apply <file>": ["Make services match a file and print what changed", () => import("./service-apply.ts")],
  ls: ["List services, one per line", () => import("./service-status.ts")],
  "status [names..]": [
    "Show replicas, image, endpoints, and why a service is not ready",
    () => import("./service-status.ts"),
    "show",
  ],
  "logs <name>": ["Show the output of a service, from all its pods or containers", () => import("./service-status.ts")],
  "open <name>": [
    "Forward a port of this machine to a service and print its URL, until interrupted",
    () => import("./service-status.ts"),
  ],
  "history <name>": ["List the revisions of a service, and who changed what", () => import("./service-history.ts")],
  "rollback <name>": ["Go back to an earlier revision of a service", () => import("./service-history.ts")],
  "restart <name>": ["Start all pods or containers of a service again", () => import("./service-history.ts")],
  "rm <names..>": ["Delete services and everything created for them", () => import("./service-apply.ts"), "delete"],
});
