import { basename, dirname, extname, join } from "node:path";
import { z } from "zod";
import { Document } from "../config/document.ts";
import { mistakesOf } from "../config/mistakes.ts";
import { readDocument } from "../config/read-document.ts";
import { strictFields } from "../config/schema-words.ts";
import { type GitProtocol, safeProtocols } from "../git/url.ts";
import { canonicalJson } from "../oci/json.ts";
import type { Code, Deployment, Interpreter, ResolvedDeployment } from "./model.ts";
import { checkDeployment } from "./read.ts";
import { codeFields, deploymentFields, interpreterFields } from "./schema.ts";

/** A deployment written down so that it runs again exactly: nothing in it is asked of anyone (SPEC section 2). */
export interface JobLock {
  readonly version: 1;
  readonly deployment: ResolvedDeployment;
  /** What was asked for where that can change: the deployment's own words. */
  readonly source: { readonly interpreter?: Interpreter; readonly code?: Code };
}

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
  const schema = strictFields("a field of a lock", {
    version: z.literal(1),
    deployment: deploymentFields({ protocols, isLocked: true }),
    source: strictFields("a field of a lock's source", {
      interpreter: interpreterFields(false).optional(),
      code: codeFields(protocols, false).optional(),
    }),
  });
  const parsed = schema.safeParse(document.value);
  if (!parsed.success) throw document.error(mistakesOf(parsed.error.issues, document.value));
  // The schema speaks of one key among several where the model has a union.
  const lock = parsed.data as unknown as JobLock;
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
