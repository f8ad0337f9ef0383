import type { Argv } from "yargs";
import { Failure } from "../../core/errors.ts";
import { heartbeat } from "../../core/heartbeat.ts";
import { examineCluster } from "../doctor/cluster.ts";
import { examineEngine } from "../doctor/engine.ts";
import { type Finding, formatFindings } from "../doctor/finding.ts";
import { examineRegistry } from "../doctor/registry.ts";
import { examineBazel, examineConda, examineNpm, examinePip } from "../doctor/tools.ts";

export function builder(yargs: Argv): Argv {
  return yargs
    .option("json", { type: "boolean", default: false, describe: "Print JSON" })
    .example("$0 doctor", "List what is installed, what is missing, and the command that installs it");
}

/** Prints what is installed and what is missing. Fails if a required tool is missing. */
export async function handler(options: object): Promise<void> {
  const env = process.env;
  const folder = env["BUILD_WORKING_DIRECTORY"] ?? process.cwd();
  const findings = await examineAll({
    Bazel: [examineBazel(env, folder)],
    npm: [examineNpm(env)],
    Python: [examinePip(env)],
    "the container engine": [examineEngine(env)],
    "the cluster": [examineCluster(env)],
    conda: [examineConda(env)],
    "the registry": [examineRegistry(env)],
  });
  const isJson = "json" in options && options.json === true;
  process.stdout.write(`${isJson ? JSON.stringify(findings, undefined, 2) : formatFindings(findings)}\n`);

  const lacking = findings.filter(({ required, state }) => required && state !== "ok");
  if (lacking.length === 0) return;
  if (isJson) {
    // The findings are the answer: no second JSON document follows them.
    process.exitCode = 1;
    return;
  }
  const parts = lacking.map(({ part }) => part).join(", ");
  throw new Failure(
    { code: "program-missing", culprit: parts },
    `Slipway does not work without ${parts}.`,
    lacking.map(({ remedy }) => remedy).find((remedy) => remedy !== undefined) ?? "",
  );
}

type Examinations = Readonly<Record<string, readonly (Finding | Promise<Finding | readonly Finding[]>)[]>>;

/** All findings, in order. Prints which checks it is waiting for. */
async function examineAll(examinations: Examinations): Promise<Finding[]> {
  const awaited = new Set(Object.keys(examinations));
  const endHeartbeat = heartbeat(() => `waiting for ${[...awaited].join(", ")}`, { after: 1000 });
  const found = Object.entries(examinations).map(async ([name, parts]) => {
    const findings = await Promise.all(parts);
    awaited.delete(name);
    return findings.flat();
  });
  return (await Promise.all(found).finally(endHeartbeat)).flat();
}
