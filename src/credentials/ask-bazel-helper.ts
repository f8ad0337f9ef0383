import type { Environment } from "../core/environment.ts";
import { checkFieldName, sendable } from "./docker-config.ts";
import { helperAnswer, helperFailed, runHelper } from "./helper.ts";

/** Milliseconds. Bazel gives it 10 s too. */
const patience = 10_000;

/** These say where a request goes and where it ends. A helper may give all others, such as cookies. */
const framing = /^(host|connection|keep-alive|content-length|transfer-encoding|expect|te|trailer|upgrade)$/i;

/** `PROGRAM get`, with JSON on its stdin and stdout. @throws Error without that stdout, which may contain secrets */
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
      checkFieldName(name, `the answer of ${program}`);
      if (framing.test(name)) throw new Error(`${program} answered with the field ${name}, which no credential needs`);
      if (!Array.isArray(values) || values.some((value) => typeof value !== "string")) {
        throw new Error(`${program} did not answer with a list of texts for each field`);
      }
      return [name, sendable(values.join(", "), `${name} in the answer of ${program}`)];
    }),
  );
}
