import { findSecrets, type VariableStore } from "../engine/secrets/variables.ts";
import type { Service } from "./model.ts";
import type { ServiceDocument } from "./read.ts";

/**
 * Finds the secrets that a service's variables name.
 *
 * @param stores where the service's engine finds them
 * @throws UserError for secrets that are not there, with their places in the document
 */
export async function resolveSecrets(
  { service, error }: ServiceDocument,
  stores: readonly VariableStore[],
): Promise<Service> {
  const env = Object.fromEntries(service.env.map(({ name, value }) => [name, value]));
  const secrets = await findSecrets(env, stores, (missing) =>
    error(
      missing.map(({ variable, problem, remedy }) => ({
        path: ["env", service.env.findIndex(({ name }) => name === variable), "value"],
        problem,
        remedy,
      })),
      "secret-not-found",
    ),
  );
  return { ...service, secrets };
}
