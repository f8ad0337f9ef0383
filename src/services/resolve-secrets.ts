import { findSecrets, type MissingSecret, type VariableStore } from "../secrets/variables.ts";
import type { Service } from "./model.ts";
import type { ServiceDocument } from "./read.ts";

/**
 * Finds the secrets that a service's variables name.
 *
 * @param stores where the service's engine finds them
 * @param error makes an error with places in the service's document. Default: without
 * @throws UserError for secrets that are not there
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
