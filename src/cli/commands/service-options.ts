import { defaultServiceEngine, serviceEngines } from "../../services/open-engine.ts";
import { required } from "./options.ts";

export const engine = {
  choices: serviceEngines,
  describe: `Engine that runs services: Kubernetes, or podman or docker on this machine. Default: ${defaultServiceEngine}`,
} as const;

export const called = { type: "string", hidden: true } as const;

export const timeLimit = { type: "number", default: 600, describe: "Seconds to wait, with --wait" } as const;

export const named = { name: required("Name of the service"), engine };
