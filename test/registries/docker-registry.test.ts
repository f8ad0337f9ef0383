import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CredentialSearch } from "../../src/credentials/credential.ts";
import { openRegistry } from "../../src/registry/client/open.ts";
import { startRegistry, temporaryFolder } from "./testdata/daemon.ts";
import { worksWith } from "./testdata/suite.ts";

/** User `u`, password `geheim`; bcrypt, the one kind that this registry takes. */
const passwords = "u:$2y$05$Mj6PlzH/O7eV6O6mV0HxbO75ysnxPuPkNFJSylHXqy5QqS67vHB3q\n";

function start(options: { readonly guarded: boolean }): Promise<string> {
  const folder = temporaryFolder();
  const file = join(folder, "htpasswd");
  writeFileSync(file, passwords);
  const config = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0" },
    ...(options.guarded ? { auth: { htpasswd: { realm: "x", path: file } } } : {}),
  };
  const path = join(folder, "config.yml");
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config));
  return startRegistry("docker-registry", ["serve", path], /listening on 127\.0\.0\.1:(\d+)/);
}

const somebody = (password: string): CredentialSearch => ({
  credential: { kind: "password", username: "u", password },
  source: "/home/u/.docker/config.json",
  searched: ["/home/u/.docker/config.json"],
  problems: [],
});

describe("docker-registry, open", () => worksWith(() => start({ guarded: false })));

describe("docker-registry with passwords", () => {
  worksWith(() => start({ guarded: true }), somebody("geheim"));

  it("refuses a wrong one, which no error shows", async () => {
    const client = openRegistry(await start({ guarded: true }), { findCredential: async () => somebody("falsch") });
    onTestFinished(() => client.close());
    const error = await client.headManifest("team/app", "t").catch((error: Error) => error);
    expect(String(error)).toMatch(/answered 401 .* the credential from \/home\/u\/\.docker\/config\.json/);
    expect(String(error)).not.toContain("falsch");
  });
});
