import process from "node:process";
import { secretIn } from "../../core/secret-reference.ts";
import { Document } from "../../deployment/document.ts";
import type { Deployment } from "../../deployment/model.ts";
import { readDocument } from "../../deployment/read.ts";
import { LocalSecrets } from "../../engine/secrets/local.ts";
import { findSecrets, type VariableStore } from "../../engine/secrets/variables.ts";
import type { JobFile } from "./job-file.ts";

/**
 * Checks that the secrets exist that a job's variables name, before anything is built or started.
 *
 * @throws UserError for secrets that are not there, with their places in the job's file
 */
export async function requireSecrets(
  file: JobFile,
  { environment }: Pick<Deployment, "environment">,
  isKubernetes: boolean,
): Promise<void> {
  if (Object.values(environment).every((value) => secretIn(value) === undefined)) return;
  const document = Document.parse(await readDocument(file.path, file.name), file.name);
  const above = file.isLock ? ["deployment", "environment"] : ["environment"];
  await findSecrets(environment, await stores(isKubernetes), (missing) =>
    document.error(
      missing.map(({ variable, problem, remedy }) => ({ path: [...above, variable], problem, remedy })),
      "secret-not-found",
    ),
  );
}

async function stores(isKubernetes: boolean): Promise<readonly VariableStore[]> {
  if (!isKubernetes) return [new LocalSecrets(process.env)];
  const { openCluster } = await import("../../engine/kubernetes/cluster.ts");
  const { secretStores } = await import("../../engine/secrets/cluster.ts");
  return secretStores(await openCluster(process.env), process.env);
}
