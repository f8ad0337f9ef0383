import { Document } from "../config/document.ts";
import type { Mistake } from "../config/mistake.ts";
import { mistakesOf } from "../config/mistakes.ts";
import { type GitProtocol, safeProtocols } from "../git/url.ts";
import { functionLanguage, ownInterpreter } from "./function.ts";
import { indexVariable } from "./matrix.ts";
import { type Deployment, deploymentFields } from "./schema.ts";

/** @throws UserError with file, line, column, field and nearest known name of every mistake */
export function parseDeployment(
  text: string,
  name: string,
  protocols: readonly GitProtocol[] = safeProtocols,
): Deployment {
  const document = Document.parse(text, name);
  const parsed = deploymentFields(protocols).safeParse(document.value);
  if (!parsed.success) throw document.error(mistakesOf(parsed.error.issues, document.value));
  const deployment: Deployment = parsed.data;
  const mistakes = checkDeployment(deployment);
  if (mistakes.length > 0) throw document.error(mistakes);
  return deployment;
}

export function checkDeployment(deployment: Deployment): Mistake[] {
  const { interpreter, code } = deployment;
  const mistakes: Mistake[] = [];
  const add = (path: readonly PropertyKey[], problem: string, remedy: string) =>
    mistakes.push({ path, problem, remedy });
  const [kind = ""] = Object.entries(interpreter).find(([, value]) => value !== undefined) ?? [];

  if (deployment.command && deployment.function !== undefined) {
    add(["function"], "stands beside `command`", "Keep one of them.");
  }
  if (!deployment.command && deployment.function === undefined) {
    if (kind !== "ImageTarget")
      add([], "says nothing to run", "Add `command`, a list, or `function`, as in module:name.");
  }
  if (deployment.command?.length === 0 && kind === "ServerAvailableInterpreter") {
    add(["command"], "is empty", "Name the program, as in [python, -m, module].");
  }
  if (deployment.arguments && deployment.function === undefined) {
    add(["arguments"], "has no `function` to pass them to", "Add `function`, or write the arguments into `command`.");
  }
  if (deployment.function !== undefined) addFunction(deployment.function, kind, deployment, add);
  if (["PoetryProject", "CondaEnv", "PipRequirements"].includes(kind) && !code) {
    add(
      ["interpreter", kind],
      "needs the files of `code`, which is missing",
      "Add `code` with the folder that contains them.",
    );
  }
  if (kind === "ImageTarget" && code) {
    add(["code"], "stands beside an image that contains its code", "Leave it out.");
  }
  addMatrix(deployment, mistakes);
  if (deployment.time_zone !== undefined && deployment.schedule === undefined) {
    add(["time_zone"], "has no `schedule`", "Leave it out, or add `schedule`.");
  }
  return mistakes;
}

function addMatrix({ matrix, parallelism, environment, function: called }: Deployment, mistakes: Mistake[]): void {
  if (!matrix) {
    const remedy = "Leave it out, or add `matrix`.";
    if (parallelism !== undefined) mistakes.push({ path: ["parallelism"], problem: "has no `matrix`", remedy });
    return;
  }
  if (called !== undefined) {
    const remedy = "Write a `command` that reads the variables, or call the function with `map` from a program.";
    mistakes.push({ path: ["matrix"], problem: "stands beside `function`", remedy });
  }
  for (const name of Object.keys(matrix)) {
    const isTaken = Object.hasOwn(environment, name);
    if (!isTaken && name !== indexVariable) continue;
    const problem = isTaken ? "is also in `environment`" : "is the variable with the number of the item";
    mistakes.push({ path: ["matrix", name], isKey: true, problem, remedy: "Give one of them another name." });
  }
}

function addFunction(
  name: string,
  kind: string,
  { interpreter, code }: Deployment,
  add: (path: readonly PropertyKey[], problem: string, remedy: string) => void,
): void {
  const language = functionLanguage(name);
  if (language === undefined) {
    add(
      ["function"],
      "names no function",
      "Write module:name for Python, or the path of a .ts or .js module inside the code.",
    );
    return;
  }
  if (kind === "ImageTarget") {
    add(["function"], "cannot be found in an image target", "Give `command`: the arguments of the image's program.");
    return;
  }
  const isOwn =
    "ServerAvailableInterpreter" in interpreter &&
    interpreter.ServerAvailableInterpreter?.interpreter_path === ownInterpreter;
  if (language === "python" && isOwn) {
    add(
      ["function"],
      "is in Python, and Slipway runs on Node",
      "Name a Python as the interpreter, or a .ts module as the function.",
    );
  }
  if (language === "node" && ["PoetryProject", "CondaEnv", "PipRequirements"].includes(kind)) {
    add(
      ["function"],
      `is TypeScript or JavaScript, and ${kind} is a Python`,
      "Write module:name, or take another interpreter.",
    );
  }
  if (language === "node" && !code) add(["function"], "is a file, and there is no code to find it in", "Add `code`.");
}
