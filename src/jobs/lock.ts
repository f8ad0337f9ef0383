import { basename, dirname, extname, join } from "node:path";
import { Document } from "../config/document.ts";
import { mistakesOf } from "../config/mistakes.ts";
import { type GitProtocol, safeProtocols } from "../git/url.ts";
import { canonicalJson } from "../oci/json.ts";
import { checkDeployment } from "./read.ts";
import { type Deployment, type JobLock, lockFields } from "./schema.ts";

/** The lock of a deployment's file: `report.yaml` has `report.lock.json` beside it. */
export function lockPath(path: string): string {
  return join(dirname(path), `${basename(path, extname(path))}.lock.json`);
}

export function isLockPath(path: string): boolean {
  return path.endsWith(".lock.json");
}

export function formatJobLock(lock: JobLock): string {
  const sorted: unknown = JSON.parse(Buffer.from(canonicalJson(lock)).toString());
  return `${JSON.stringify(sorted, undefined, 2)}\n`;
}

/** @throws UserError with file, line, column and field of every mistake */
export function parseJobLock(text: string, name: string, protocols: readonly GitProtocol[] = safeProtocols): JobLock {
  const document = Document.parse(text, name);
  const parsed = lockFields(protocols).safeParse(document.value);
  if (!parsed.success) throw document.error(mistakesOf(parsed.error.issues, document.value));
  const lock: JobLock = parsed.data;
  const mistakes = checkDeployment(lock.deployment);
  if (mistakes.length > 0)
    throw document.error(mistakes.map((mistake) => ({ ...mistake, path: ["deployment", ...mistake.path] })));
  return lock;
}

export function deploymentOf({ deployment, source }: JobLock): Deployment {
  return { ...deployment, ...source };
}

/** Whether a lock was made from this deployment, whatever the platform. */
export function isLockOf(lock: JobLock, deployment: Deployment): boolean {
  const plain = (each: Deployment) => Buffer.from(canonicalJson({ ...each, platform: deployment.platform })).toString();
  return plain(deploymentOf(lock)) === plain(deployment);
}
