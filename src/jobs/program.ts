import { dirname } from "node:path";
import type { Network } from "../config/limits.ts";
import type { PlacedResources } from "../config/resources.ts";
import type { Volumes } from "../config/volumes.ts";
import type { Mount } from "../containers/run-description.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { isExecutable } from "../core/executables.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { functionLanguage, ownInterpreter } from "./function.ts";
import type { Matrix } from "./matrix.ts";
import type { PlacedCode } from "./place-code.ts";
import { functionRunner } from "./runners.ts";
import type { ResolvedDeployment } from "./schema.ts";

export interface Program {
  readonly name: string;
  /** Undefined: a process of this machine. */
  readonly image?: RunnableImage;
  readonly commit?: string;
  readonly entrypoint?: string;
  readonly argv: readonly string[];
  /** The values of secrets replace `SECRET:NAME` only when the program starts. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly mounts: readonly Mount[];
  /** Folders are absolute. */
  readonly volumes?: Volumes;
  readonly stdin: string;
  /** Whether it writes a result as in `protocol.ts`. */
  readonly isFunction: boolean;
  readonly resources: PlacedResources;
  readonly network: Network;
  readonly timeLimit?: number;
  readonly retries: number;
  /** Only on Kubernetes: it runs once for each item. */
  readonly matrix?: Matrix;
  readonly parallelism?: number;
}

export const jobVariable = "SLIPWAY_JOB";

/** Variables of this machine that a process job sees besides its own. */
const machineVariables = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR)$/;

/** Variables of the deployment override all others. Without an image, `code` is folders of this machine. */
export function makeProgram(
  name: string,
  deployment: ResolvedDeployment,
  code: PlacedCode | Pick<PlacedCode, "folders">,
  env: Environment,
): Program {
  const { code: source, interpreter, resources, volumes, time_limit, retries, matrix, parallelism } = deployment;
  const [cwd] = code.folders;
  const common = {
    name,
    stdin: JSON.stringify(deployment.arguments ?? []),
    isFunction: deployment.function !== undefined,
    resources,
    network: deployment.network ?? "none",
    ...(volumes === undefined ? {} : { volumes }),
    ...(time_limit === undefined ? {} : { timeLimit: time_limit }),
    retries,
    ...(matrix === undefined ? {} : { matrix }),
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(source && "GitRepoCommit" in source ? { commit: source.GitRepoCommit.commit } : {}),
  };
  const own = { ...pathOf(code.folders), ...deployment.environment };
  if ("image" in code) {
    const { image, mounts } = code;
    const runner = runnerOf(deployment, code.folders);
    if (runner === undefined) return { ...common, image, argv: deployment.command ?? [], env: own, mounts };
    // Debian has no `python`.
    const entrypoint = runner.language === "python" ? "python3" : "node";
    return { ...common, image, entrypoint, argv: runner.argv, env: own, mounts };
  }
  if ("ServerAvailableInterpreter" in interpreter) {
    const { interpreter_path: given } = interpreter.ServerAvailableInterpreter;
    const path = given === ownInterpreter ? process.execPath : given;
    if (!isExecutable(path)) {
      throw new UserError(
        { code: "program-missing", culprit: path },
        `The interpreter ${path} is not on this machine, or cannot be executed.`,
        "Install it, or set `interpreter_path` to another one.",
      );
    }
    const machine = Object.entries(env).flatMap(([key, value]) =>
      machineVariables.test(key) && value !== undefined ? [[key, value] as const] : [],
    );
    // `python` is the job's interpreter, as in an active virtual environment.
    const PATH = `${dirname(path)}:${env["PATH"] ?? "/usr/bin:/bin"}`;
    const runner = runnerOf(deployment, code.folders);
    const argv = runner ? [path, ...runner.argv] : (deployment.command ?? []);
    return { ...common, argv, env: { ...Object.fromEntries(machine), PATH, ...own }, mounts: [] };
  }
  const [kind = ""] = Object.keys(interpreter);
  throw new TypeError(`${kind} is to be made before it runs: prepareInterpreter`);
}

function runnerOf({ function: name }: ResolvedDeployment, folders: readonly string[]) {
  if (name === undefined) return undefined;
  const language = functionLanguage(name) ?? "python";
  return { language, argv: functionRunner(language, name, folders) };
}

function pathOf(folders: readonly string[]): Record<string, string> {
  if (folders.length === 0) return {};
  // Nothing may be written beside code, which jobs share.
  return { PYTHONPATH: folders.join(":"), PYTHONDONTWRITEBYTECODE: "1" };
}
