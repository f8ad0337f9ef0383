import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { configFolder } from "../core/user-folders.ts";
import { JsonNode } from "../oci/json.ts";
import { parseServiceUrl, type Service, services } from "./service-url.ts";
import type { Entry, Source } from "./source.ts";

/** Contains references to secrets where the source allows that. */
export function storePath(env: Environment): string {
  return join(configFolder(env), "credentials.json");
}

/** A question mark marks optional fields. */
const sourceFields: Readonly<Record<Source["kind"], readonly string[]>> = {
  file: ["path"],
  "aws-secret": ["secret", "region?"],
  "ssh-key": ["path"],
  environment: ["username", "variable"],
  stored: ["username", "password"],
  "stored-token": ["token"],
};

/** Oldest first; none without a file. @throws UserError with file and entry, never an entry's content */
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

export function parseStore(text: string, path: string): readonly Entry[] {
  const remedy = "Correct it, or remove it and add the credentials again with `slipway credentials add`.";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the file, which may contain passwords.
  }
  const document = `Credential file ${path}`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError({ code: "file-invalid", culprit: path }, `${document}: it is not a JSON object.`, remedy);
  }
  const root = new JsonNode(value, { document, remedy, identity: { code: "field-invalid" } });
  const version = root.get("version");
  if (version.value !== 1) version.fail("is not 1, the one this Slipway knows");
  const entries = root.get("credentials").items().map(readEntry);
  const names = entries.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) root.get("credentials").fail(`has the name ${JSON.stringify(twice)} twice`);
  return entries;
}

function readEntry(node: JsonNode): Entry {
  const { name, service, url: _url, source: _source, ...others } = node.object();
  for (const unknown of Object.keys(others)) node.get(unknown).fail("is an unknown field");
  if (name !== undefined && !(typeof name === "string" && isName(name)))
    node.get("name").fail("has characters other than letters, digits, and . _ - between them");
  if (!services.includes(service as Service)) node.get("service").fail(`is not one of ${services.join(", ")}`);
  const url = node.get("url").string();
  try {
    parseServiceUrl(service as Service, url);
  } catch (error) {
    node.get("url").fail(`is invalid: ${(error as UserError).problem.replace(/\.$/, "")}`);
  }
  return { ...(node.value as Entry), source: readSource(node.get("source")) };
}

function readSource(node: JsonNode): Source {
  const { kind, ...fields } = node.object();
  const allowed = typeof kind === "string" && Object.hasOwn(sourceFields, kind) && sourceFields[kind as Source["kind"]];
  if (!allowed) return node.get("kind").fail(`is not one of ${Object.keys(sourceFields).join(", ")}`);
  for (const field of allowed) {
    const name = field.replace("?", "");
    const text = field === name ? node.get(name).string() : node.optional(name)?.string();
    if (text === "") node.get(name).fail("is empty");
  }
  const unknown = Object.keys(fields).find((field) => !allowed.some((each) => each.replace("?", "") === field));
  if (unknown !== undefined) node.get(unknown).fail("is an unknown field");
  return node.value as Source;
}

/** As `containerRegistry:` of a service takes it. */
export function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}
