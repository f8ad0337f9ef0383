import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jobJsonSchema } from "../../src/jobs/schema.ts";
import { code, table } from "./markdown.ts";

/** A part of the JSON Schema. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

const schema = jobJsonSchema() as Schema;
/** The fields of a job. One that may be null is what it is otherwise. */
const fields = Object.entries(schema.properties ?? {}).map(
  ([name, field]) => [name, field.anyOf?.[0] ?? field] as const,
);
const kindsOf = (name: string) => Object.entries(fields.find(([each]) => each === name)?.[1].properties ?? {});
const interpreters = kindsOf("interpreter");
const codes = kindsOf("code");
/** Programs use GitRepoBranch and GitRepoCommit in place of `git_repo`. */
const codeClasses = codes.filter(([name]) => name !== "git_repo");

const isRequired = (group: Schema, name: string) => group.required?.includes(name) ?? false;
const fieldsOf = (group: Schema) => Object.entries(group.properties ?? {});

/** The description with the default, where it does not say so itself. */
function spoken({ description = "", default: value }: Schema): string {
  if (value === undefined || typeof value === "object") return description;
  return `${description} Default: ${typeof value === "number" ? value : code(String(value))}.`;
}

const decapitalized = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

/** Lines of at most so many characters. */
function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

function comment(text: string, indent: string): string {
  const lines = wrapped(text, 105);
  if (lines.length === 1) return `${indent}/** ${text} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join("")}${indent} */\n`;
}

const typesOf = ({ type = [] }: Schema): readonly string[] => (typeof type === "string" ? [type] : type);

const typescriptNames: Readonly<Record<string, string>> = {
  interpreter: "JobInterpreter",
  code: "JobCode | null",
  arguments: "readonly Json[]",
  volumes: "Volumes",
};

function typescriptOf(field: Schema): string {
  if (field.enum) return field.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (field.items) {
    const item = typescriptOf(field.items);
    return `readonly ${item.includes("|") ? `(${item})` : item}[]`;
  }
  if (field.additionalProperties) return `Readonly<Record<string, ${typescriptOf(field.additionalProperties)}>>`;
  return typesOf(field).join(" | ").replace("integer", "number");
}

/** `readonly a?: string`. */
function member(group: Schema, name: string, type: string): string {
  return `readonly ${name}${isRequired(group, name) ? "" : "?"}: ${type}`;
}

function typescriptKinds(kinds: readonly (readonly [string, Schema])[]): string {
  const lines = kinds.map(([name, group]) => {
    const inner = fieldsOf(group).map(([field, of]) => member(group, field, typescriptOf(of)));
    const one = `  | { readonly ${name}: { ${inner.join("; ")} } }`;
    return one.length <= 120 ? one : `  | {\n      readonly ${name}: { ${inner.join("; ")} };\n    }`;
  });
  return `${lines.join("\n")};\n`;
}

function typescriptField([name, field]: readonly [string, Schema]): string {
  const doc = comment(spoken(field), "  ");
  if (!field.properties || name in typescriptNames) {
    return `${doc}  ${member(schema, name, typescriptNames[name] ?? typescriptOf(field))};\n`;
  }
  const inner = fieldsOf(field).map(
    ([each, of]) => `${comment(spoken(of), "    ")}    ${member(field, each, typescriptOf(of))};\n`,
  );
  return `${doc}  readonly ${name}?: {\n${inner.join("")}  };\n`;
}

const notice = "Generated from src/jobs/schema.ts by `node docs/generate/update-job.ts`.";

function typescript(): string {
  return `// ${notice}

import type { Volumes } from "../config/volumes.ts";
import type { Json } from "./json.ts";

/** An \`interpreter_path\`: the Node that runs Slipway. */
export const SLIPWAY_INTERPRETER = "SLIPWAY_INTERPRETER";

/** A job, with the same fields as in a job's YAML file. Slipway checks it when you resolve or run it. */
export interface Deployment {
${fields.map(typescriptField).join("")}}

/** An interpreter. The key names its kind. */
export type JobInterpreter =
${typescriptKinds(interpreters)}
/** Code for an interpreter. The key names its kind. */
export type JobCode =
${typescriptKinds(codeClasses)}`;
}

const pythonWords: Readonly<Record<string, readonly string[]>> = {
  string: ["str"],
  integer: ["int"],
  number: ["int", "float"],
  boolean: ["bool"],
};

function pythonOf(field: Schema): string {
  if (field.items) return `Sequence[${pythonOf(field.items)}]`;
  const inner = new Set(fieldsOf(field).flatMap(([, each]) => typesOf(each)));
  if (inner.has("number")) inner.delete("integer");
  const values = field.additionalProperties || (inner.size > 0 && { type: [...inner].sort() });
  if (values) return `Mapping[str, ${pythonOf(values)}]`;
  const words = typesOf(field).flatMap((type) => pythonWords[type] ?? []);
  return words.length > 1 ? `Union[${words.join(", ")}]` : (words[0] ?? "Any");
}

function pythonClass(name: string, group: Schema, members: readonly (readonly [string, Schema])[]): string {
  // Fields without a default come first.
  const required = members.filter(([field]) => isRequired(group, field));
  const ordered = [...required, ...members.filter(([field]) => !isRequired(group, field))];
  const lines = ordered.map(([field, of]) => {
    const type = { interpreter: "Interpreter", code: "Code" }[field] ?? pythonOf(of);
    if (isRequired(group, field)) return `    ${field}: ${type}`;
    if (typeof of.default === "object") return `    ${field}: ${type} = dataclasses.field(default_factory=dict)`;
    if (of.default !== undefined) return `    ${field}: ${type} = ${JSON.stringify(of.default)}`;
    return `    ${field}: Optional[${type}] = None`;
  });
  const docs = ordered.flatMap(([field, of]) => {
    const [first = "", ...rest] = wrapped(`${field}: ${decapitalized(fullText(of))}`, 120);
    return [`        ${first}`, ...rest.map((line) => `            ${line}`)];
  });
  return `@dataclasses.dataclass(frozen=True)
class ${name}:
    """${group.description}

    Args:
${docs.join("\n")}
    """

${lines.join("\n")}
`;
}

function fieldLines(group: Schema): string[] {
  return fieldsOf(group).map(([name, each]) => `${code(name)}: ${decapitalized(spoken(each))}`);
}

/** The description with those of the fields of a group. */
function fullText(field: Schema): string {
  if (!field.properties || field.properties["ContainerAtTag"] || field.properties["git_repo"]) return spoken(field);
  return [spoken(field), ...fieldLines(field)].join(" ");
}

const description =
  "A job, with the same fields as in a job's YAML file. Slipway checks it when you resolve or run it.";

function python(before: string): string {
  const classes = [...interpreters, ...codeClasses].map(([name, group]) => pythonClass(name, group, fieldsOf(group)));
  const names = interpreters.map(([name]) => `    ${name},\n`);
  const own = before.slice(before.indexOf("    def document("));
  return `"""Jobs: an interpreter, its code, and a command or function. The fields are the same as in a job's YAML file."""

# ${notice} Except for the functions.

import dataclasses
from typing import Any, Dict, Mapping, Optional, Sequence, Union

# An \`interpreter_path\`: the Node that runs Slipway.
SLIPWAY_INTERPRETER = "SLIPWAY_INTERPRETER"


${classes.join("\n\n")}

Interpreter = Union[
${names.join("")}]
Code = Union[${codeClasses.map(([name]) => name).join(", ")}]


${pythonClass("Deployment", { ...schema, description }, fields)}
${own}`;
}

function starlarkType(name: string, field: Schema): string {
  if (name === "interpreter" || name === "code") return "dict of a kind to its fields";
  if (field.items) return `list of ${field.items.type === "string" ? "strings" : "JSON values"}`;
  if (field.additionalProperties) {
    const { additionalProperties: values } = field;
    return `dict of string to ${values.items ? "list" : values.properties ? "dict" : values.type}`;
  }
  const words: Readonly<Record<string, string>> = { integer: "int", number: "int", object: "dict" };
  return typesOf(field)
    .map((type) => words[type] ?? type)
    .join(" or ");
}

/** What only a BUILD file can say. */
const starlarkOnly: Readonly<Record<string, string>> = {
  interpreter:
    ' A pipeline of this repository, whose image has interpreter and code: `{"ImageTarget": {"target": ":main"}}`. Or the label of an `image` of this repository, which also has both.',
};

/** The documentation of the attributes of `job`. */
function starlark(before: string): string {
  const lines = fields.flatMap(([name, field]) => {
    const kinds = name === "interpreter" ? interpreters : name === "code" ? codes : [];
    const list = kinds.map(([kind]) => code(kind)).join(", ");
    const type = `${starlarkType(name, field)}${list === "" ? "" : `: ${list}`}`;
    const text = `${name}: ${type}. ${fullText(field)}${starlarkOnly[name] ?? ""}`;
    const [first = "", ...rest] = wrapped(text, 130);
    return [`      ${first}\n`, ...rest.map((line) => `        ${line}\n`)];
  });
  return before.replace(/( {6}name: .*\n)[\s\S]*?(?= {6}deployment: )/, (_, name: string) => name + lines.join(""));
}

function markdown(before: string): string {
  const kindRows = (kinds: readonly (readonly [string, Schema])[]) =>
    kinds.map(([name, group]) => [code(name), group.description ?? "", fieldLines(group).join("\n")]);
  const tables = [
    table(
      ["field of a job", "meaning"],
      fields.map(([name, field]) => [code(name), fullText(field)]),
    ),
    table(["interpreter", "meaning", "fields"], kindRows(interpreters)),
    table(["code", "meaning", "fields"], kindRows(codes)),
  ];
  return tables.reduce((text, rows) => {
    const [header = ""] = rows.split("\n");
    const at = text.indexOf(header.replace(/ \| (meaning|fields).*/, " |"));
    if (at < 0) throw new Error(`docs/jobs.md has no table that begins with ${header}`);
    const length = /^(\|.*\n)*/.exec(text.slice(at))?.[0].length ?? 0;
    return text.slice(0, at) + rows + text.slice(at + length);
  }, before);
}

/** The files that are generated from the schema of a job, each from its text of now. */
export const generated: Readonly<Record<string, (before: string) => string>> = {
  "src/sdk/deployment.ts": typescript,
  "python/slipway/_deployments.py": python,
  "bazel/private/job/job.bzl": starlark,
  "docs/jobs.md": markdown,
};

export function writeJobForms(root: string): void {
  for (const [path, make] of Object.entries(generated)) {
    const file = join(root, path);
    writeFileSync(file, make(readFileSync(file, "utf8")));
  }
}
