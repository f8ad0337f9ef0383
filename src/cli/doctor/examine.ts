import { heartbeat } from "../../core/heartbeat.ts";
import { userPath } from "../../core/user-path.ts";
import { version } from "../version.ts";
import { examineCluster } from "./cluster.ts";
import { examineConfiguration, examineVariables } from "./configuration.ts";
import { examineEngine } from "./engine.ts";
import type { Finding } from "./finding.ts";
import { examineCredentials, examineRegistry } from "./registry.ts";
import { examineBazel, examineConda, examineDisk, examineGit, examineNpm, examinePip } from "./tools.ts";

/** Hands on each finding when it is known. Prints which checks it is waiting for. */
export async function examine(onFinding: (finding: Finding) => unknown): Promise<Finding[]> {
  const { env } = process;
  const examinations: Readonly<Record<string, Promise<Finding | readonly Finding[]>>> = {
    slipway: Promise.resolve({
      ...{ part: "slipway", state: "ok", neededFor: "everything", required: true },
      detail: `${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    } satisfies Finding),
    "the variables": examineVariables(env),
    "the configuration file": examineConfiguration(env),
    "the disk": examineDisk(env),
    Bazel: examineBazel(env, userPath(".")),
    git: examineGit(env),
    npm: examineNpm(env),
    Python: examinePip(env),
    conda: examineConda(env),
    "the container engine": examineEngine(env),
    "the registry": examineRegistry(env),
    "the credentials": examineCredentials(env),
    "the cluster": examineCluster(env),
  };
  const awaited = new Set(Object.keys(examinations));
  const endHeartbeat = heartbeat(() => `waiting for ${[...awaited].join(", ")}`, { after: 1000 });
  const found = Object.entries(examinations).map(async ([name, examination]) => {
    const findings = [await examination].flat();
    awaited.delete(name);
    for (const finding of findings) await onFinding(finding);
    return findings;
  });
  return (await Promise.all(found).finally(endHeartbeat)).flat();
}
