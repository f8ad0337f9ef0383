import { findSecrets, type MissingSecret, type VariableStore } from "../secrets/variables.ts";
import type { Service } from "./model.ts";
import type { ServiceDocument } from "./read.ts";

/**
 * Finds the secrets of a service's variables.
 *
 * @param error adds positions in the document
 */
export async function resolveSecrets(
  service: Service,
  stores: readonly VariableStore[],
  error?: ServiceDocument["error"],
): Promise<Service> {
  const env = Object.fromEntries(service.env.map(({ name, value }) => [name, value]));
  const refuse =
    error &&
    ((missing: readonly MissingSecret[]) =>
      error(
        missing.map(({ variable, problem, remedy }) => ({
          path: ["env", service.env.findIndex(({ name }) => name === variable), "value"],
          problem,
          remedy,
        })),
        "secret-not-found",
      ));
  const secrets = await findSecrets(env, stores, refuse);
  return { ...service, secrets };
}
