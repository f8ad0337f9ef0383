import { readFile } from "node:fs/promises";
import type { RegistrySettings } from "../../config/settings.ts";
import { Failure } from "../../core/errors.ts";
import type { Credential } from "../../credentials/credential.ts";
import type { RegistryClient } from "../../registry/client/client.ts";
import { connectRegistry } from "../../registry/client/connect.ts";

export interface RegistryAccess {
  readonly settings: RegistrySettings;
  readonly credentials: Readonly<Record<string, Credential>>;
}

export type RegistryAccesses = Readonly<Record<string, RegistryAccess>>;

const source = "the service's secret";

export const registriesFile = "registries.json";

/** Opens registries with the accesses in a file, or anonymously if there is no file. */
export async function registriesOf(path: string): Promise<(registry: string) => RegistryClient> {
  const known = await readAccesses(path);
  return (registry) => {
    const { settings = {}, credentials = {} } = known[registry] ?? {};
    return connectRegistry(registry, {
      settings,
      findCredential: async (repository = "") => {
        const credential = credentials[repository];
        return { ...(credential ? { credential, source } : {}), searched: [source], problems: [] };
      },
    });
  };
}

async function readAccesses(path: string): Promise<RegistryAccesses> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as RegistryAccesses;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    // No cause: parsers quote the text, which is secret.
    throw new Failure(
      { code: "file-unreadable", culprit: path },
      `${path} cannot be read.`,
      "Apply the service again.",
    );
  }
}
