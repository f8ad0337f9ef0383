import { createReadStream } from "node:fs";
import { dirname, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import type { z } from "zod";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import { Document, formatPath, type Issue, maximumDocument, spokenValue } from "../config/document.ts";
import { functionLanguage } from "./function.ts";
import { type GitProtocol, safeProtocols } from "../git/url.ts";
import { indexVariable } from "./matrix.ts";
import { type Deployment, ownInterpreter } from "./model.ts";
import { deploymentFields, readComplaint, saysNothing } from "./schema.ts";

/** A deployment and the folder that its relative paths are relative to. */
export interface DeploymentFile {
  readonly deployment: Deployment;
  /** Absolute. */
  readonly folder: string;
}

/**
 * Reads a deployment's file, YAML or JSON.
 *
 * @param name what a person calls the file
 * @throws UserError with file, line, column, field and nearest known name of every mistake
 */
export async function readDeployment(
  path: string,
  name: string,
  protocols: readonly GitProtocol[] = safeProtocols,
): Promise<DeploymentFile> {
  return {
    deployment: parseDeployment(await readDocument(path, name), name, protocols),
    folder: dirname(resolve(path)),
  };
}

/**
 * Reads a file that people write.
 *
 * @param what what the file describes
 * @param maximum bytes
 * @throws UserError when it cannot be read, is too large or is not text
 */
export async function readDocument(
  path: string,
  name: string,
  what = "job",
  maximum = maximumDocument,
): Promise<string> {
  // It may never end: /dev/zero.
  const bytes = await buffer(createReadStream(path, { end: maximum })).catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === "ENOENT" ? "does not exist" : `cannot be read (${cause.code})`;
    const identity = { code: "file-unreadable", culprit: name } as const;
    throw new UserError(identity, `${name} ${problem}.`, `Name the file of a ${what}.`, { cause });
  });
  const invalid = { code: "file-invalid", culprit: name } as const;
  if (bytes.length > maximum) {
    throw new UserError(
      invalid,
      `${name} has more than ${maximum} bytes, the most that a ${what} may have.`,
      "Make it smaller: move data into separate files.",
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(invalid, `${name} is not text in UTF-8.`, "Save it as UTF-8.", { cause });
  }
}

/**
 * Reads the text of a deployment.
 *
 * @throws UserError as {@link readDeployment}
 */
export function parseDeployment(
  text: string,
  name: string,
  protocols: readonly GitProtocol[] = safeProtocols,
): Deployment {
  const document = Document.parse(text, name);
  const parsed = deploymentFields({ protocols }).safeParse(document.value);
  if (!parsed.success) throw document.error(issuesOf(parsed.error.issues, document.value));
  const deployment: Deployment = parsed.data;
  const issues = checkDeployment(deployment);
  if (issues.length > 0) throw document.error(issues);
  return deployment;
}

/** Mistakes as people understand them. */
export function issuesOf(issues: readonly z.core.$ZodIssue[], document: unknown): Issue[] {
  const unknown = new Map(
    issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" ? [[issue as z.core.$ZodIssue, unknownKeys(issue)] as const] : [],
    ),
  );
  // That a field is missing, or one of several kinds, is said by naming the one that was misspelt.
  const explained = new Set(
    [...unknown.values()]
      .flat()
      .flatMap(({ path, meant }) => [...meant, path.slice(0, -1)].map((way) => formatPath(way))),
  );
  return issues.flatMap((issue): Issue[] => {
    const said = readComplaint(issue.message);
    if (said?.problem === saysNothing && explained.has(formatPath(issue.path))) return [];
    const isKey = issue.code === "custom" && issue.params?.["isKey"] === true;
    if (said) return [{ path: issue.path, ...said, ...(isKey ? { isKey } : {}) }];
    const keys = unknown.get(issue);
    if (keys) return keys;
    const value = issue.path.reduce<unknown>(
      (at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part],
      document,
    );
    if (value === undefined && explained.has(formatPath(issue.path))) return [];
    return [{ path: issue.path, ...wrongType(issue, value) }];
  });
}

/** Keys that nobody knows, with the ways to those that were meant. */
function unknownKeys(issue: z.core.$ZodIssueUnrecognizedKeys) {
  const { what, known, remedies } = JSON.parse(issue.message) as {
    what: string;
    known: string[];
    remedies: Readonly<Record<string, string>>;
  };
  return issue.keys.map((key) => {
    const remedy = Object.hasOwn(remedies, key) ? remedies[key] : undefined;
    const meant = remedy === undefined ? nearest(key, known) : undefined;
    return {
      path: [...issue.path, key],
      isKey: true,
      problem: `is not ${what}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`,
      remedy: remedy ?? `Known here: ${known.join(", ")}.`,
      meant: meant === undefined ? [] : [[...issue.path, meant]],
    };
  });
}

const spokenTypes: Readonly<Record<string, [what: string, remedy: string]>> = {
  string: ["a text", "Give a text."],
  number: ["a number", "Give a number, without quotes."],
  int: ["a whole number", "Give a whole number, without quotes."],
  array: ["a list", "Write a list: [ONE, TWO], or a line with - for each."],
  object: ["a group of fields", "Write NAME: VALUE, a line for each field."],
  record: ["a group of fields", "Write NAME: VALUE, a line for each."],
};

function wrongType(issue: z.core.$ZodIssue, value: unknown): { problem: string; remedy: string } {
  if (issue.code === "invalid_value" && value !== undefined) {
    const values = issue.values.map((each) => String(each)).join(" or ");
    return {
      problem: `is ${spokenValue(value)}`,
      remedy: `Write ${values}, or use the version of Slipway that wrote it.`,
    };
  }
  const expected = issue.code === "invalid_type" ? issue.expected : "string";
  const [what, remedy] = spokenTypes[expected] ?? ["something else", "Correct it."];
  if (value === undefined) return { problem: "is missing", remedy: `Add it: ${what}.` };
  const problem = `is ${spokenValue(value)}, not ${what}`;
  const quotes = expected === "string" && (typeof value === "number" || typeof value === "boolean");
  return { problem, remedy: quotes ? "Put it in quotes." : remedy };
}

/** What holds between the fields of a deployment. */
export function checkDeployment(deployment: Deployment): Issue[] {
  const { interpreter, code } = deployment;
  const issues: Issue[] = [];
  const add = (path: readonly PropertyKey[], problem: string, remedy: string) => issues.push({ path, problem, remedy });
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
  addMatrix(deployment, issues);
  if (deployment.time_zone !== undefined && deployment.schedule === undefined) {
    add(["time_zone"], "has no `schedule`", "Leave it out, or add `schedule`.");
  }
  return issues;
}

function addMatrix({ matrix, parallelism, environment, function: called }: Deployment, issues: Issue[]): void {
  if (!matrix) {
    const remedy = "Leave it out, or add `matrix`.";
    if (parallelism !== undefined) issues.push({ path: ["parallelism"], problem: "has no `matrix`", remedy });
    return;
  }
  if (called !== undefined) {
    const remedy = "Write a `command` that reads the variables, or call the function with `map` from a program.";
    issues.push({ path: ["matrix"], problem: "stands beside `function`", remedy });
  }
  for (const name of Object.keys(matrix)) {
    const isTaken = Object.hasOwn(environment, name);
    if (!isTaken && name !== indexVariable) continue;
    const problem = isTaken ? "is also in `environment`" : "is the variable with the number of the item";
    issues.push({ path: ["matrix", name], isKey: true, problem, remedy: "Give one of them another name." });
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
