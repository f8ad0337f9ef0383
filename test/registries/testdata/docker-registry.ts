import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../src/core/testdata/folder.ts";
import { type Daemons, daemonsOfTest } from "./daemon.ts";
import type { TokenServer } from "./token-server.ts";

/** User `u`, password `geheim`; bcrypt, the one kind that this registry takes. */
const passwords = "u:$2y$05$Mj6PlzH/O7eV6O6mV0HxbO75ysnxPuPkNFJSylHXqy5QqS67vHB3q";

export interface DockerRegistryOptions {
  /** `htpasswd`: the user `u` with the password `geheim`, or a line of that file. */
  readonly auth: "none" | "htpasswd" | { readonly htpasswd: string } | TokenServer;
  /** PEM files: its own, and where it wants certificates from clients, that of their authority. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
  /** Where it keeps what it has, for longer than the test. */
  readonly storage?: string;
  /** Default: it ends with the test. */
  readonly daemons?: Daemons;
  /** Of its configuration. */
  readonly folder?: string;
}

/** Debian's docker-registry, empty. */
export async function startDockerRegistry(options: DockerRegistryOptions): Promise<string> {
  const { auth, tls, folder = temporaryFolder(), daemons = daemonsOfTest() } = options;
  const storage = options.storage ?? join(folder, "data");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "htpasswd");
  writeFileSync(file, typeof auth === "object" && "htpasswd" in auth ? `${auth.htpasswd}\n` : `${passwords}\n`);
  const { clientAuthority, ...own } = tls ?? {};
  const config = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: {
      addr: "127.0.0.1:0",
      ...(tls ? { tls: { ...own, ...(clientAuthority ? { clientcas: [clientAuthority] } : {}) } } : {}),
    },
    ...(auth === "none"
      ? {}
      : { auth: isTokenServer(auth) ? { token: auth.registryConfig } : { htpasswd: { realm: "x", path: file } } }),
  };
  const path = join(folder, "config.yml");
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config));
  const port = await daemons.start("docker-registry", ["serve", path], /listening on 127\.0\.0\.1:(\d+)/);
  return `localhost:${port}`;
}

function isTokenServer(auth: DockerRegistryOptions["auth"]): auth is TokenServer {
  return typeof auth === "object" && "realm" in auth;
}
