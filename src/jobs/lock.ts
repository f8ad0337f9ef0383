import { basename, dirname, extname, join } from "node:path";
import { Document } from "../config/document.ts";
import { mistakesOf } from "../config/mistakes.ts";
import { readDocument } from "../config/read-document.ts";
import { type GitProtocol, safeProtocols } from "../git/url.ts";
import { canonicalJson } from "../oci/json.ts";
import { checkDeployment } from "./read.ts";
import { type Deployment, type JobLock, lockFields } from "./schema.ts";

/** The lock of a deployment's file: `report.yaml` has `report.lock.json` beside it. */
export function lockPath(path: string): string {
  return join(dirname(path), `${basename(path, extname(path))}.lock.json`);
}

/** Whether a path is that of a lock. */
export function isLockPath(path: string): boolean {
  return path.endsWith(".lock.json");
}

/** The text of a lock: the same lock gives the same bytes. */
export function formatJobLock(lock: JobLock): string {
  const sorted: unknown = JSON.parse(Buffer.from(canonicalJson(lock)).toString());
  return `${JSON.stringify(sorted, undefined, 2)}\n`;
}

/**
 * Reads a lock.
 *
 * @throws UserError with file, line, column and field of every mistake
 */
export async function readJobLock(
  path: string,
  name: string,
  protocols: readonly GitProtocol[] = safeProtocols,
): Promise<JobLock> {
  return parseJobLock(await readDocument(path, name), name, protocols);
}

/** Reads the text of a lock; errors as {@link readJobLock}. */
export function parseJobLock(text: string, name: string, protocols: readonly GitProtocol[] = safeProtocols): JobLock {
  const document = Document.parse(text, name);
  const parsed = lockFields(protocols).safeParse(document.value);
  if (!parsed.success) throw document.error(mistakesOf(parsed.error.issues, document.value));
  const lock: JobLock = parsed.data;
  const issues = checkDeployment(lock.deployment);
  if (issues.length > 0)
    throw document.error(issues.map((issue) => ({ ...issue, path: ["deployment", ...issue.path] })));
  return lock;
}

/** The deployment that a lock was made from. */
export function deploymentOf({ deployment, source }: JobLock): Deployment {
  return { ...deployment, ...source };
}

/** Whether a lock was made from this deployment, the platform left open. */
export function isLockOf(lock: JobLock, deployment: Deployment): boolean {
  const plain = (each: Deployment) => Buffer.from(canonicalJson({ ...each, platform: deployment.platform })).toString();
  return plain(deploymentOf(lock)) === plain(deployment);
}
