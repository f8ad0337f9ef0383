import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { replaceFile } from "../core/files.ts";
import { secretPattern } from "../core/secret-reference.ts";
import { stateFolder } from "../core/user-folders.ts";
import { type KeptSecret, requireAll, type SecretStore } from "./secrets.ts";
import type { FoundSecret } from "./variables.ts";

/** Files that only this user can read. Podman's cannot be replaced before 4.7, and docker's are for swarms only. */
export class LocalSecrets implements SecretStore {
  readonly #folder: string;

  constructor(env: Environment) {
    this.#folder = join(stateFolder(env), "secrets");
  }

  get place(): string {
    return this.#folder;
  }

  async file(name: string): Promise<string | undefined> {
    const path = join(this.#folder, name);
    return secretPattern.test(name) && (await statusOf(path)) ? path : undefined;
  }

  async set(name: string, value: Buffer): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await replaceFile(join(this.#folder, name), value);
  }

  async has(name: string): Promise<boolean> {
    return (await this.file(name)) !== undefined;
  }

  async value(name: string): Promise<Buffer | undefined> {
    const path = await this.file(name);
    return path === undefined ? undefined : readFile(path);
  }

  setCommand(name: string): string {
    return `slipway secret set ${name} --engine container`;
  }

  async variable(name: string): Promise<FoundSecret | undefined> {
    const path = await this.file(name);
    if (path === undefined) return undefined;
    const [value, { mtime }] = await Promise.all([readFile(path), stat(path)]);
    return { value: textOf(value, name), version: mtime.toISOString() };
  }

  async list(): Promise<readonly KeptSecret[]> {
    const names = (await readdir(this.#folder).catch(absent)) ?? [];
    const found = names
      .filter((name) => secretPattern.test(name))
      .sort()
      .map(async (name) => {
        const place = join(this.#folder, name);
        const set = (await statusOf(place))?.mtime.toISOString();
        return set === undefined ? [] : { name, place, set };
      });
    return (await Promise.all(found)).flat();
  }

  async remove(names: readonly string[]): Promise<void> {
    const known = (await this.list()).map(({ name }) => name);
    requireAll(names, known, this.place);
    for (const name of names) await rm(join(this.#folder, name), { force: true });
  }
}

function textOf(value: Buffer, name: string): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    if (!text.includes("\0")) return text;
  } catch {
    // The error would not name the secret.
  }
  throw new UserError(
    { code: "credential-invalid", culprit: `SECRET:${name}` },
    `The secret ${name} is not text, so it cannot be the value of a variable.`,
    "Encode it, for example in Base64, and decode it in the program.",
  );
}

function statusOf(path: string) {
  return stat(path).catch(absent);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
