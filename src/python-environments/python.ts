import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { tryProgram } from "../core/run-program.ts";
import { isWanted, minorOf } from "./model.ts";

/** An interpreter of this machine, not that of a virtual environment. */
export interface LocalPython {
  readonly path: string;
  readonly version: string;
  /** The platform of its wheels, such as `linux-x86_64`. */
  readonly platform: string;
}

const question = `
import json, platform, sys, sysconfig
path = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({"path": path, "version": platform.python_version(), "platform": sysconfig.get_platform()}))
`;

/** @param wanted `3.12` or `3.12.1`; undefined: any `python3` */
export async function findPython(wanted: string | undefined, env: Environment): Promise<LocalPython> {
  const found: LocalPython[] = [];
  for (const name of [...(wanted === undefined ? [] : [`python${minorOf(wanted)}`]), "python3", "python"]) {
    const answer = await tryProgram(name, ["-c", question], { env });
    if (answer.status !== 0) continue;
    const python = JSON.parse(answer.stdout) as LocalPython;
    if (python.version.startsWith("3.") && isWanted(wanted, python.version)) return python;
    found.push(python);
  }
  const others = [...new Set(found.map(({ version }) => version))].join(", ");
  throw new UserError(
    { code: "program-missing", culprit: `python${wanted ?? "3"}` },
    `Python ${wanted ?? "3"} is not on this machine${others === "" ? "" : `, but Python ${others} is`}.`,
    wanted === undefined
      ? "Install python3, or run the job in containers: SLIPWAY_ENGINE=container."
      : `Install python${minorOf(wanted)}, set \`python\` to an installed version, or run the job in containers: SLIPWAY_ENGINE=container.`,
  );
}

/** pip 22.3 is the first one that installs for another interpreter. */
const oldestPip = [22, 3] as const;

export async function findPip(env: Environment): Promise<string> {
  const path = "python3";
  const { stdout } = await tryProgram(path, ["-m", "pip", "--version"], { env });
  const [, version, major, minor] = /^pip ((\d+)\.(\d+)\S*)/.exec(stdout) ?? [];
  const [least, leastMinor] = oldestPip;
  if (Number(major) > least || (Number(major) === least && Number(minor) >= leastMinor)) return path;
  throw new UserError(
    { code: "program-missing", culprit: "pip" },
    version === undefined ? "pip is not on this machine." : `${path} has pip ${version}, which is too old.`,
    "Install it: `apt-get install python3-pip`, or `python3 -m pip install --upgrade pip`.",
  );
}
