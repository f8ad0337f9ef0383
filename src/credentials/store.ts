import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
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
    throw new UserError(`Credential file ${path} cannot be read (${code}).`, "Make it a file that you can read.");
  }
  const entries = parseStore(text, path);
  if ((mode & 0o077) !== 0 && entries.some(({ source }) => source.kind.startsWith("stored"))) {
    throw new UserError(
      `Credential file ${path} holds passwords and is open to others (mode ${mode.toString(8)}).`,
      `Close it with \`chmod 600 ${path}\`, and change those passwords if others use this machine.`,
    );
  }
  return entries;
}

/** Reads the text of a file of credentials; for tests and {@link readStore}. */
export function parseStore(text: string, path: string): readonly Entry[] {
  const fail = (problem: string): never => {
    throw new UserError(
      `Credential file ${path}: ${problem}.`,
      "Correct it, or remove it and add the credentials again with `slipway credentials add`.",
    );
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the file, which may contain passwords.
    return fail("it is not JSON");
  }
  if (!isObject(value)) return fail("it is not a JSON object");
  if (value["version"] !== 1) return fail("its version is not 1, the one this Slipway knows");
  const { credentials } = value;
  if (!Array.isArray(credentials)) return fail("credentials is no list");
  const entries = credentials.map((each, index) =>
    readEntry(each, (problem) => fail(`credentials[${index}]${problem}`)),
  );
  const names = entries.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return fail(`two credentials have the name ${JSON.stringify(twice)}`);
  return entries;
}

function readEntry(value: unknown, fail: (problem: string) => never): Entry {
  if (!isObject(value)) return fail(" is no object");
  const { name, service, url, source, ...others } = value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return fail(` has the unknown field ${JSON.stringify(unknown)}`);
  if (name !== undefined && (typeof name !== "string" || !isName(name)))
    return fail(".name is not made of letters, digits, and . _ - between them");
  if (!services.includes(service as Service)) return fail(`.service is none of ${services.join(", ")}`);
  if (typeof url !== "string") return fail(".url is no text");
  try {
    parseServiceUrl(service as Service, url);
  } catch (error) {
    return fail(`.url: ${(error as Error).message.split("\n", 1)[0]?.replace(/\.$/, "")}`);
  }
  return {
    ...(name === undefined ? {} : { name }),
    service: service as Service,
    url,
    source: readSource(source, fail),
  };
}

function readSource(value: unknown, fail: (problem: string) => never): Source {
  if (!isObject(value)) return fail(".source is no object");
  const { kind, ...fields } = value;
  const known = typeof kind === "string" && Object.hasOwn(sourceFields, kind);
  if (!known) return fail(`.source.kind is none of ${Object.keys(sourceFields).join(", ")}`);
  const allowed = sourceFields[kind as Source["kind"]];
  for (const field of allowed) {
    const isOptional = field.endsWith("?");
    const name = field.replace("?", "");
    if (isOptional && fields[name] === undefined) continue;
    if (typeof fields[name] !== "string" || fields[name] === "") return fail(`.source.${name} is no text`);
  }
  const unknown = Object.keys(fields).find((field) => !allowed.some((each) => each.replace("?", "") === field));
  if (unknown !== undefined) return fail(`.source has the unknown field ${JSON.stringify(unknown)}`);
  return value as unknown as Source;
}

/** Whether a text is a valid name of a credential, for `containerRegistry:` in a service. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
