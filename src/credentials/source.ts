import { createReadStream } from "node:fs";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { ReadLimit, readWhole } from "../core/read-whole.ts";
import type { Credential, PasswordCredential, SshKey } from "./credential.ts";
import type { Service } from "./service-url.ts";

/** Only `stored` contains the secret itself. */
export type Source =
  /** User name on the first line, password on the second, nothing else. */
  | { readonly kind: "file"; readonly path: string }
  /** JSON with `username` and `password`, or with `private_key`. Default region: from the AWS configuration. */
  | { readonly kind: "aws-secret"; readonly secret: string; readonly region?: string }
  | { readonly kind: "ssh-key"; readonly path: string }
  | { readonly kind: "environment"; readonly username: string; readonly variable: string }
  | { readonly kind: "stored"; readonly username: string; readonly password: string }
  | { readonly kind: "stored-token"; readonly token: string };

export interface Entry {
  readonly name?: string;
  readonly service: Service;
  readonly url: string;
  readonly source: Source;
}

export function describeSource(source: Source): string {
  switch (source.kind) {
    case "file":
      return `file ${source.path}`;
    case "aws-secret":
      return `AWS secret ${source.secret}${source.region === undefined ? "" : ` in ${source.region}`}`;
    case "ssh-key":
      return `SSH key ${source.path}`;
    case "environment":
      return `environment variable ${source.variable}`;
    case "stored":
      return `the password of ${source.username} that Slipway keeps`;
    case "stored-token":
      return "the identity token that Slipway keeps";
  }
}

/** As `slipway credentials rm` takes it. */
export function nameOf({ name, url }: Entry): string {
  return name ?? url;
}

/** A new login of another tool does not replace a source of `slipway credentials add`. */
export const correction = "Correct it, or add a new one with `slipway credentials add`.";

export function describeEntry(entry: Entry): string {
  const name = entry.name === undefined ? "" : `${entry.name}: `;
  return `${name}${describeSource(entry.source)} (for ${entry.service} ${entry.url})`;
}

/** SSH needs a key, everything else a password. */
export function canGive(source: Source, need: "password" | "ssh-key"): boolean {
  return source.kind === "aws-secret" || (source.kind === "ssh-key") === (need === "ssh-key");
}

/** @throws UserError or Failure with the source and the problem, never the secret */
export async function readCredential(entry: Entry, env: Environment): Promise<Credential> {
  const { source } = entry;
  switch (source.kind) {
    case "file":
      return usable(entry, readTwoLines(entry, await readSmallFile(entry, source.path)));
    case "aws-secret": {
      const fields = await awsFields(entry, source);
      const { username, password } = fields;
      if (typeof username !== "string") return refuse(entry, `has no "username" that is a text`);
      if (typeof password !== "string") return refuse(entry, `has no "password" that is a text`);
      return usable(entry, { kind: "password", username, password });
    }
    case "environment": {
      const password = env[source.variable];
      if (!password) return refuse(entry, "is not set", `Set ${source.variable} where this runs.`);
      return usable(entry, { kind: "password", username: source.username, password });
    }
    case "stored":
      return usable(entry, { kind: "password", username: source.username, password: source.password });
    case "stored-token":
      return { kind: "identity-token", token: source.token };
    case "ssh-key":
      return refuse(entry, "is an SSH key, not a password", "Add a password too: `slipway credentials add`.");
  }
}

/** A checked key file's path, or an AWS secret's `private_key`. @throws UserError or Failure, never with the secret */
export async function readSshKey(entry: Entry): Promise<SshKey> {
  const { source } = entry;
  if (source.kind === "ssh-key") {
    const text = await readSmallFile(entry, source.path);
    if (!isPrivateKey(text)) {
      const name = source.path.endsWith(".pub") ? "the file" : "a private key from ssh-keygen, the file";
      return refuse(entry, "is not a private key", `Name ${name} without .pub.`);
    }
    return { kind: "ssh-key-file", path: source.path };
  }
  if (source.kind !== "aws-secret") return refuse(entry, "is no SSH key");
  const { private_key: key } = await awsFields(entry, source);
  if (typeof key !== "string") return refuse(entry, `has no "private_key" that is a text`);
  if (!isPrivateKey(key)) return refuse(entry, `has a "private_key" that is not a private key`);
  // OpenSSH requires the final newline, which is easily lost.
  return { kind: "ssh-key", key: key.endsWith("\n") ? key : `${key}\n` };
}

function isPrivateKey(text: string): boolean {
  return /^-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----\r?\n/.test(text);
}

async function awsFields(
  entry: Entry,
  source: Extract<Source, { kind: "aws-secret" }>,
): Promise<Record<string, unknown>> {
  const { readAwsSecret } = await import("./aws-clients.mjs");
  const text = await readAwsSecret(source, (problem, remedy) => refuse(entry, problem, remedy));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message would quote the secret.
    return refuse(entry, "is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(entry, "is not a JSON object");
  return value as Record<string, unknown>;
}

/** One per line. Removes line ends, but keeps spaces. */
function readTwoLines(entry: Entry, text: string): PasswordCredential {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const [username, password] = lines;
  if (username !== undefined && password !== undefined && lines.length === 2) {
    return { kind: "password", username, password };
  }
  const found = lines.length === 1 ? "1 line" : `${lines.length} lines`;
  return refuse(entry, `must have exactly two lines, the user name and the password, and has ${found}`);
}

/** Basic authentication (RFC 7617) and the helpers' protocols cannot carry some characters. */
function usable(entry: Entry, credential: PasswordCredential): PasswordCredential {
  const { username, password } = credential;
  if (username === "") return refuse(entry, "has an empty user name");
  if (password === "") return refuse(entry, "has an empty password");
  if (username.includes(":")) return refuse(entry, "has a colon in its user name, which no protocol can send");
  if (/\p{Cc}/u.test(username + password)) {
    return refuse(entry, "has a control character in its user name or password");
  }
  return credential;
}

/** Bytes, and milliseconds. */
const maximumSize = 64 * 1024;
const readingTime = 10_000;

async function readSmallFile(entry: Entry, path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readWhole(createReadStream(path), maximumSize, readingTime);
  } catch (error) {
    if (error instanceof ReadLimit) return refuse(entry, `${error.message}, unlike any credential`);
    const { code } = error as NodeJS.ErrnoException;
    const remedy =
      code === "ENOENT" ? "Check the path: the file does not exist." : `Make ${path} a file that you can read.`;
    return refuse(entry, `cannot be read (${code})`, remedy);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(entry, "is not UTF-8 text");
  }
}

function refuse(entry: Entry, problem: string, remedy?: string): never {
  throw new UserError(
    { code: "credential-invalid", culprit: nameOf(entry) },
    `Credential ${describeEntry(entry)} ${problem}.`,
    remedy ?? "Correct the source, or replace it: `slipway credentials add`.",
  );
}
