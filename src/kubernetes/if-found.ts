import type { Api } from "./api.ts";
import { refusalOf } from "./api-error.ts";

/** Undefined if the object does not exist. */
export async function ifFound<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (refusalOf(error)?.status === 404) return undefined;
    throw error;
  }
}

export async function deleteIfFound(
  api: Api,
  path: string,
  options: { readonly propagationPolicy?: "Foreground" | "Background"; readonly preconditions?: object },
): Promise<void> {
  await ifFound(api.ask("DELETE", path, { body: { apiVersion: "meta/v1", kind: "DeleteOptions", ...options } }));
}
