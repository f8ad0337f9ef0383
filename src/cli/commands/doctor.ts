import { Failure } from "../../core/errors.ts";
import { heartbeat } from "../../core/heartbeat.ts";
import { userPath } from "../../core/user-path.ts";
import { command } from "../command.ts";
import { examineCluster } from "../doctor/cluster.ts";
import { examineConfiguration } from "../doctor/configuration.ts";
import { examineEngine } from "../doctor/engine.ts";
import { type Finding, formatFindings } from "../doctor/finding.ts";
import { examineRegistry } from "../doctor/registry.ts";
import { examineBazel, examineConda, examineNpm, examinePip } from "../doctor/tools.ts";
import { json } from "./options.ts";
import { printJson } from "./output.ts";

/** Fails if a required tool is missing: in a workspace, Bazel. */
export const doctor = command(
  { json },
  async ({ json }) => {
    const { env } = process;
    const findings = await examineAll({
      Bazel: examineBazel(env, userPath(".")),
      npm: examineNpm(env),
      Python: examinePip(env),
      "the container engine": examineEngine(env),
      "the cluster": examineCluster(env),
      conda: examineConda(env),
      "the registry": examineRegistry(env),
      "the configuration file": examineConfiguration(env),
    });
    if (json) printJson(findings);
    else process.stdout.write(`${formatFindings(findings)}\n`);

    const lacking = findings.filter(({ required, state }) => required && state !== "ok");
    if (lacking.length === 0) return;
    if (json) {
      // No second JSON document follows the findings.
      process.exitCode = 1;
      return;
    }
    const parts = lacking.map(({ part }) => part).join(", ");
    throw new Failure(
      { code: "program-missing", culprit: parts },
      `The targets of this workspace cannot be built without ${parts}.`,
      lacking.find(({ remedy }) => remedy !== undefined)?.remedy ?? "",
    );
  },
  (yargs) => yargs.example("$0 doctor", "List what is installed, what is missing, and the command that installs it"),
);

/** In order. Prints which checks it is waiting for. */
async function examineAll(
  examinations: Readonly<Record<string, Promise<Finding | readonly Finding[]>>>,
): Promise<Finding[]> {
  const awaited = new Set(Object.keys(examinations));
  const endHeartbeat = heartbeat(() => `waiting for ${[...awaited].join(", ")}`, { after: 1000 });
  const found = Object.entries(examinations).map(([name, finding]) => finding.finally(() => awaited.delete(name)));
  return (await Promise.all(found).finally(endHeartbeat)).flat();
}
