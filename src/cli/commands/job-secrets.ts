import process from "node:process";
import { Document } from "../../config/document.ts";
import { readDocument } from "../../config/read-document.ts";
import { secretIn } from "../../core/secret-reference.ts";
import type { Deployment } from "../../jobs/model.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import { findSecrets, type VariableStore } from "../../secrets/variables.ts";
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
  const { openCluster } = await import("../../kubernetes/cluster.ts");
  const { secretStores } = await import("../../secrets/cluster.ts");
  return secretStores(await openCluster(process.env), process.env);
}
