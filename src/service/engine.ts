import { UserError } from "../oci/errors.ts";

/** What runs services. */
export const serviceEngines = ["kubernetes", "container"] as const;

export type ServiceEngine = (typeof serviceEngines)[number];

/**
 * The engine that was asked for, else that of SLIPWAY_ENGINE, else Kubernetes.
 *
 * @throws UserError for one that runs no services
 */
export function serviceEngine(
  asked: ServiceEngine | undefined,
  env: Readonly<Record<string, string | undefined>>,
): ServiceEngine {
  const wanted = asked ?? (env["SLIPWAY_ENGINE"] || "kubernetes");
  const found = serviceEngines.find((engine) => engine === wanted);
  if (found) return found;
  throw new UserError(
    `SLIPWAY_ENGINE=${wanted} is no engine for services.`,
    "Set it to kubernetes or container, or choose one with --engine.",
  );
}
