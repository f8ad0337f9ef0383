import type { Environment } from "../core/environment.ts";
import { helperAnswer, helperFailed, runHelper } from "./helper.ts";

/** Milliseconds that a helper has. Bazel gives it 10 s too. */
const patience = 10_000;

/**
 * Asks a credential helper of Bazel for header fields: `PROGRAM get`, JSON with the URI on its stdin, JSON with fields and their values on its
 * stdout.
 *
 * @throws Error without the helper's stdout, which may contain secrets
 */
export async function askBazelHelper(
  program: string,
  uri: string,
  env: Environment,
  within = patience,
): Promise<Readonly<Record<string, string>>> {
  const { status, stdout, stderr } = await runHelper(program, JSON.stringify({ uri }), env, within);
  if (status !== 0) throw helperFailed(program, status, stderr);
  const fields = Object.entries(helperAnswer(program, stdout)["headers"] ?? {}) as [string, unknown][];
  return Object.fromEntries(
    fields.map(([name, values]) => {
      if (!Array.isArray(values) || values.some((value) => typeof value !== "string")) {
        throw new Error(`${program} did not answer with a list of texts for each field`);
      }
      return [name, values.join(", ")];
    }),
  );
}
