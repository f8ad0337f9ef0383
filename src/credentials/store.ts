import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { type ErrorIdentity, UserError } from "../core/errors.ts";
import { configFolder } from "../core/user-folders.ts";
import { parseServiceUrl, type Service, services } from "./service-url.ts";
import type { Entry, Source } from "./source.ts";

/** The file with the sources of `slipway credentials add`. It contains references to secrets where the source allows that. */
export function storePath(env: Environment): string {
  return join(configFolder(env), "credentials.json");
}

/** Fields of each kind of source. A question mark marks optional fields. */
const sourceFields: Readonly<Record<Source["kind"], readonly string[]>> = {
  file: ["path"],
  "aws-secret": ["secret", "region?"],
  "ssh-key": ["path"],
  environment: ["username", "variable"],
  stored: ["username", "password"],
  "stored-token": ["token"],
};

/**
 * Reads the file of credentials, oldest first. No file: no entries.
 *
 * @throws UserError with file and entry, never an entry's content
 */
export async function readStore(env: Environment): Promise<readonly Entry[]> {
  const path = storePath(env);
  let text: string;
  let mode: number;
  try {
    text = await readFile(path, "utf8");
    mode = (await stat(path)).mode & 0o777;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new UserError(
      { code: "file-unreadable", culprit: path },
      `Credential file ${path} cannot be read (${code}).`,
      "Make it a file that you can read.",
    );
  }
  const entries = parseStore(text, path);
  if ((mode & 0o077) !== 0 && entries.some(({ source }) => source.kind.startsWith("stored"))) {
    throw new UserError(
      { code: "folder-unsafe", culprit: path },
      `Other users can read the passwords in credential file ${path} (mode ${mode.toString(8)}).`,
      `Close it with \`chmod 600 ${path}\`, and change those passwords if others use this machine.`,
    );
  }
  return entries;
}

/** Reads the text of a file of credentials; for tests and {@link readStore}. */
export function parseStore(text: string, path: string): readonly Entry[] {
  const refuse = (identity: ErrorIdentity, problem: string): never => {
    throw new UserError(
      identity,
      `Credential file ${path}: ${problem}.`,
      "Correct it, or remove it and add the credentials again with `slipway credentials add`.",
    );
  };
  const fail: Fail = (field, problem) => refuse({ code: "field-invalid", culprit: field }, `${field} ${problem}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the file, which may contain passwords.
  }
  if (!isObject(value)) return refuse({ code: "file-invalid", culprit: path }, "it is not a JSON object");
  if (value["version"] !== 1) return fail("version", "is not 1, the one this Slipway knows");
  const { credentials } = value;
  if (!Array.isArray(credentials)) return fail("credentials", "is not a list");
  const entries = credentials.map((each, index) =>
    readEntry(each, (field, problem) => fail(`credentials[${index}]${field}`, problem)),
  );
  const names = entries.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return fail("credentials", `has the name ${JSON.stringify(twice)} twice`);
  return entries;
}

type Fail = (field: string, problem: string) => never;

function readEntry(value: unknown, fail: Fail): Entry {
  if (!isObject(value)) return fail("", "is not an object");
  const { name, service, url, source, ...others } = value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return fail(`.${unknown}`, "is an unknown field");
  if (name !== undefined && (typeof name !== "string" || !isName(name)))
    return fail(".name", "has characters other than letters, digits, and . _ - between them");
  if (!services.includes(service as Service)) return fail(".service", `is not one of ${services.join(", ")}`);
  if (typeof url !== "string") return fail(".url", "is not a string");
  try {
    parseServiceUrl(service as Service, url);
  } catch (error) {
    return fail(".url", `is invalid: ${(error as UserError).problem.replace(/\.$/, "")}`);
  }
  return {
    ...(name === undefined ? {} : { name }),
    service: service as Service,
    url,
    source: readSource(source, fail),
  };
}

function readSource(value: unknown, fail: Fail): Source {
  if (!isObject(value)) return fail(".source", "is not an object");
  const { kind, ...fields } = value;
  const known = typeof kind === "string" && Object.hasOwn(sourceFields, kind);
  if (!known) return fail(".source.kind", `is not one of ${Object.keys(sourceFields).join(", ")}`);
  const allowed = sourceFields[kind as Source["kind"]];
  for (const field of allowed) {
    const isOptional = field.endsWith("?");
    const name = field.replace("?", "");
    if (isOptional && fields[name] === undefined) continue;
    if (typeof fields[name] !== "string" || fields[name] === "") return fail(`.source.${name}`, "is not a string");
  }
  const unknown = Object.keys(fields).find((field) => !allowed.some((each) => each.replace("?", "") === field));
  if (unknown !== undefined) return fail(`.source.${unknown}`, "is an unknown field");
  return value as unknown as Source;
}

/** Whether a text is a valid name of a credential, for `containerRegistry:` in a service. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
