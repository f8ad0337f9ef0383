import { accessSync, constants } from "node:fs";
import { dirname, posix, relative } from "node:path";
import type { LocalCode } from "../../deployment/code.ts";
import { functionLanguage } from "../../deployment/function.ts";
import { ownInterpreter, type ResolvedDeployment } from "../../deployment/model.ts";
import { UserError } from "../../oci/errors.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import type { Environment, Mount } from "../engine.ts";
import type { Network } from "../limits.ts";
import { functionRunner } from "./runners.ts";

/** What an engine of this machine runs: a deployment with its code in place. */
export interface Program {
  /** What a person calls it: part of the job's id. */
  readonly name: string;
  /** Undefined: a process of this machine. */
  readonly image?: string;
  /** Arguments of the image, or a program with its arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly mounts: readonly Mount[];
  readonly stdin: string;
  /** Whether it answers as `protocol.ts` says. */
  readonly isFunction: boolean;
  readonly resources: ResolvedDeployment["resources"];
  /** Of its container. */
  readonly network: Network;
  /** Seconds for each attempt. */
  readonly timeLimit?: number;
  readonly retries: number;
}

/** Folder of the code in a container. */
const codeFolder = "/slipway/code";

/** Variables of this machine that its programs need to work at all. A job sees no other ones but its own. */
const machineVariables = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR)$/;

/**
 * Puts together what runs. Variables given by the deployment win over all others.
 *
 * @throws UserError for an interpreter that this machine or these engines do not have
 */
export function makeProgram(name: string, deployment: ResolvedDeployment, code: LocalCode, env: Environment): Program {
  const { interpreter, resources, time_limit, retries } = deployment;
  const common = {
    name,
    stdin: JSON.stringify(deployment.arguments ?? []),
    isFunction: deployment.function !== undefined,
    resources,
    network: deployment.network ?? "none",
    ...(time_limit === undefined ? {} : { timeLimit: time_limit }),
    retries,
  };
  if ("ContainerAtDigest" in interpreter) {
    const { repository, digest } = interpreter.ContainerAtDigest;
    const image = formatReference({ ...parseReference(repository), digest });
    const { mounts, folders } = mounted(code);
    const [cwd] = folders;
    return {
      ...common,
      image,
      argv: argvOf(deployment, folders, { python: "python", node: "node" }),
      env: { ...pathOf(folders), ...deployment.environment },
      ...(cwd === undefined ? {} : { cwd }),
      mounts,
    };
  }
  if ("ServerAvailableInterpreter" in interpreter) {
    const { interpreter_path: given } = interpreter.ServerAvailableInterpreter;
    const path = given === ownInterpreter ? process.execPath : given;
    requireExecutable(path);
    const machine = Object.entries(env).flatMap(([key, value]) =>
      machineVariables.test(key) && value !== undefined ? [[key, value] as const] : [],
    );
    const [cwd] = code.folders;
    return {
      ...common,
      argv: argvOf(deployment, code.folders, { python: path, node: path }),
      env: {
        ...Object.fromEntries(machine),
        // `python` is the interpreter that was named, as in a virtual environment that is active.
        PATH: `${dirname(path)}:${env["PATH"] ?? "/usr/bin:/bin"}`,
        ...pathOf(code.folders),
        ...deployment.environment,
      },
      ...(cwd === undefined ? {} : { cwd }),
      mounts: [],
    };
  }
  const [kind = ""] = Object.keys(interpreter);
  throw new UserError(
    `This version runs no job whose interpreter is a ${kind}.`,
    "Take a container image, or an interpreter that is there.",
  );
}

function argvOf(
  deployment: ResolvedDeployment,
  folders: readonly string[],
  interpreters: Readonly<Record<"python" | "node", string>>,
): readonly string[] {
  if (deployment.function === undefined) return deployment.command ?? [];
  const language = functionLanguage(deployment.function) ?? "python";
  return [interpreters[language], ...functionRunner(language, deployment.function, folders)];
}

function pathOf(folders: readonly string[]): Record<string, string> {
  if (folders.length === 0) return {};
  // Code is shared by everyone who has the same: nothing may be written beside it.
  return { PYTHONPATH: folders.join(":"), PYTHONDONTWRITEBYTECODE: "1" };
}

/** Code as a container sees it: a checkout whole, so that links in it lead where they should. */
function mounted({ folders, checkout }: LocalCode): { mounts: Mount[]; folders: string[] } {
  const comma = folders.find((folder) => folder.includes(","));
  if (comma !== undefined) {
    throw new UserError(
      `code_paths: ${comma} has a comma in it, and container engines mount no such folder.`,
      "Rename it.",
    );
  }
  const [first] = folders;
  if (checkout !== undefined && first !== undefined) {
    const inside = posix.join(codeFolder, relative(checkout, first));
    return { mounts: [{ source: checkout, target: codeFolder }], folders: [inside.replace(/\/$/, "")] };
  }
  const mounts = folders.map((source, index) => ({ source, target: `${codeFolder}/${index}` }));
  return { mounts, folders: mounts.map(({ target }) => target) };
}

function requireExecutable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new UserError(
      `The interpreter ${path} is not on this machine, or cannot be executed.`,
      "Install it there, or name another as `interpreter_path`.",
      { cause },
    );
  }
}
