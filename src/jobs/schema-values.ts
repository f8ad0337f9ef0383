import { posix } from "node:path";
import { z } from "zod";
import { spokenValue } from "../config/document.ts";
import { anyText, checked, mistake, named, text } from "../config/schema-words.ts";
import { type Volumes, volumeMistakes } from "../config/volumes.ts";
import { referenceMistake, secretIn } from "../core/secret-reference.ts";
import { isBranchName } from "../git/url.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { isTag, referenceIn } from "../oci/reference.ts";
import { ownInterpreter } from "./function.ts";
import { itemCount, maximumItems, maximumMatrix } from "./matrix.ts";

// The values of a job's fields.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A path inside the code: relative, and not out of it. */
export const innerPath = checked(text, (value) => {
  if (value.startsWith("/")) return ["is an absolute path", "Give a path relative to the root of the code."];
  const isOut = posix.normalize(value).split("/")[0] === "..";
  return isOut ? ["leads out of the code", "Give a path inside the code."] : undefined;
});

export const interpreterPath = checked(text, (value) =>
  value.startsWith("/") || value === ownInterpreter
    ? undefined
    : ["is not an absolute path", `Start it with /, or write ${ownInterpreter} for Slipway's own.`],
);

export const imageRepository = checked(z.string(), (value) => {
  const reference = referenceIn(value);
  if (!reference)
    return ["is not a repository of images", "Write REGISTRY/NAME, as in registry.example.com/team/image."];
  if (reference.tag === undefined && reference.digest === undefined) return undefined;
  const part = reference.digest === undefined ? "tag" : "digest";
  return [`contains a ${part}`, `Give it as \`${part}\`, beside \`repository\`.`];
});

export const tag = checked(z.string(), (value) =>
  isTag(value) ? undefined : ["is not a tag", "Write up to 128 letters, digits and . _ -; do not start with . or -."],
);

export const digest = checked(z.string(), (value) =>
  isDigest(value) ? undefined : ["is not a digest", "Write sha256: and 64 lower-case hexadecimal digits."],
).transform((value) => value as Digest);

export const label = checked(z.string(), (value) =>
  /^(@{1,2}[\w.+~-]*)?\/\/[\w./+=,@~-]*(:[\w./+=,@~-]+)?$/.test(value) && value !== "//"
    ? undefined
    : ["is not the label of a target", "Write //PACKAGE:NAME."],
);

export const pythonVersion = checked(z.string(), (value) =>
  /^3\.\d{1,2}(\.\d{1,2})?$/.test(value)
    ? undefined
    : ["is not a version of Python 3", 'Write it like "3.12" or "3.12.4".'],
);

export const commit = checked(z.string(), (value) => {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value)) return undefined;
  return /^[0-9a-f]{4,63}$/i.test(value)
    ? ["is not a whole commit id", "Write all 40 lower-case digits, as `git rev-parse` prints them."]
    : ["is not a commit id", "Write 40 hexadecimal digits, or use GitRepoBranch for a branch."];
});

export const branch = checked(z.string(), (value) =>
  isBranchName(value)
    ? undefined
    : ["is not the name of a branch", "Write it as `git branch` does, without refs/heads/."],
);

/** A value of JSON as it is: zod's own type leaves out what is called `__proto__`. */
export const json = checked(z.unknown() as z.ZodType as z.ZodType<Json, Json>, (value) => {
  if (!everyNumber(value, Number.isFinite)) {
    return [
      `is ${spokenValue(value)}, which JSON does not have`,
      "Give null, true, false, a finite number, a text, a list, or a group of these.",
    ];
  }
  return everyNumber(value, isExact)
    ? undefined
    : [
        "contains an integer with too many digits to pass it unchanged",
        "Put it in quotes, and convert it in the function.",
      ];
});

function everyNumber(value: Json, is: (number: number) => boolean): boolean {
  if (typeof value === "number") return is(value);
  return typeof value !== "object" || value === null || Object.values(value).every((item) => everyNumber(item, is));
}

/** Whether a number is no integer that was read as another one. From 1e21 on they are written as fractions are. */
function isExact(number: number): boolean {
  return !Number.isInteger(number) || Number.isSafeInteger(number) || Math.abs(number) >= 1e21;
}

const variables = named(anyText).meta({ type: "object", additionalProperties: { type: "string" } });

export const environment = variables.superRefine((value, context) => {
  for (const [name, text] of Object.entries(value)) {
    const wrong = typeof text === "string" ? referenceMistake(text) : undefined;
    if (wrong) context.addIssue({ code: "custom", path: [name], message: mistake(...wrong) });
    const message = nameComplaint(name);
    if (message) context.addIssue({ code: "custom", path: [name], params: { isKey: true }, message });
  }
});

function nameComplaint(name: string): string | undefined {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return undefined;
  return mistake("is not the name of a variable", "Write letters, digits and _, no digit first.");
}

/** A value of a matrix, as its variable has it. */
const matrixValue = z
  .union([anyText, z.number(), z.boolean()])
  .transform(String)
  .superRefine((value, context) => {
    if (secretIn(value) === undefined) return;
    const message = mistake("is a secret", "Give it in `environment`: whoever may look at the job sees the matrix.");
    context.addIssue({ code: "custom", message });
  });

export const matrix = named(
  checked(z.array(matrixValue), (values) => {
    if (values.length === 0) return ["is empty", "Give at least one value."];
    const twice = values.find((value, index) => values.indexOf(value) !== index);
    return twice === undefined ? undefined : [`has ${JSON.stringify(twice)} twice`, "Leave one of them out."];
  }),
)
  .meta({
    type: "object",
    additionalProperties: { type: "array", minItems: 1, items: { type: ["string", "number", "boolean"] } },
  })
  .superRefine((value, context) => {
    for (const name of Object.keys(value)) {
      const wrong = nameComplaint(name);
      if (wrong) context.addIssue({ code: "custom", path: [name], params: { isKey: true }, message: wrong });
    }
    const items = itemCount(value);
    const add = (problem: string, remedy: string) =>
      context.addIssue({ code: "custom", message: mistake(problem, remedy) });
    if (Object.keys(value).length === 0)
      add("is empty", "Name at least one variable with its values, or leave it out.");
    else if (items > maximumItems) add(`has ${items} items`, `Give at most ${maximumItems}, in several jobs.`);
    else if (Buffer.byteLength(JSON.stringify(value)) > maximumMatrix)
      add("is too large", `Give at most ${maximumMatrix} bytes, such as numbers that the program looks up.`);
  });

export const volumes = (named(z.unknown()) as z.ZodType as z.ZodType<Volumes, Volumes>)
  .meta({
    type: "object",
    additionalProperties: {
      type: "object",
      properties: { claim: { type: "string" }, folder: { type: "string" }, writable: { type: "boolean" } },
      additionalProperties: false,
    },
  })
  .superRefine((value, context) => {
    for (const { path, isKey = false, problem, remedy } of volumeMistakes(value)) {
      context.addIssue({ code: "custom", path: [...path], params: { isKey }, message: mistake(problem, remedy) });
    }
  });

type Network = "none" | "host";
export const network = checked(z.string() as z.ZodType as z.ZodType<Network, Network>, (value) =>
  value === "none" || value === "host"
    ? undefined
    : ["is neither none nor host", "Write none, or host to use this machine's network."],
).meta({ enum: ["none", "host"] });

export const platform = checked(z.string(), (value) =>
  /^[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9]+)?$/.test(value)
    ? undefined
    : ["is not a platform", "Write OS/ARCHITECTURE, as in linux/amd64 or linux/arm64."],
);

export const base = checked(z.string(), (value) =>
  referenceIn(value)
    ? undefined
    : ["is not an image", "Write REGISTRY/NAME:TAG, as in docker.io/library/python:3.12-slim."],
);

export const lockedBase = checked(base, (value) =>
  value.includes("@") ? undefined : ["has no digest", "Resolve the job again."],
);
