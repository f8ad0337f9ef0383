import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { createConda } from "./conda.ts";
import { type EnvironmentSource, environmentKey } from "./model.ts";
import { installHere } from "./pip.ts";
import { findPython } from "./python.ts";
import { builtOnce, environmentsFolder } from "./store.ts";

interface LocalEnvironment {
  readonly interpreter: string;
  /** Further variables for programs in it. */
  readonly variables: Readonly<Record<string, string>>;
}

export async function localEnvironment(
  source: EnvironmentSource,
  { env, onBuild }: { readonly env: Environment; readonly onBuild?: () => void },
): Promise<LocalEnvironment> {
  const isConda = source.kind === "CondaEnv";
  const python = isConda ? undefined : await findPython(source.python, env);
  const machine = { python: source.python ?? "", platform: `${process.platform}/${process.arch}` };
  const key = environmentKey(source, { ...(python ?? machine) });
  const isWhole = (folder: string) => existsSync(join(folder, "bin/python"));
  const folder = await builtOnce(environmentsFolder(env), key, isWhole, async (prefix, temporary) => {
    onBuild?.();
    if (python) await installHere(source, python, { prefix, temporary, env });
    else await createConda(source, undefined, { prefix, temporary, env });
  });
  return {
    interpreter: join(folder, "bin/python"),
    variables: { [isConda ? "CONDA_PREFIX" : "VIRTUAL_ENV"]: folder },
  };
}
