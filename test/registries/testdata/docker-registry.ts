import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRegistry, temporaryFolder } from "./daemon.ts";
import type { TokenServer } from "./token-server.ts";

/** User `u`, password `geheim`; bcrypt, the one kind that this registry takes. */
const passwords = "u:$2y$05$Mj6PlzH/O7eV6O6mV0HxbO75ysnxPuPkNFJSylHXqy5QqS67vHB3q\n";

export interface DockerRegistryOptions {
  /** `htpasswd`: the user `u` with the password `geheim`, or a line of that file. */
  readonly auth: "none" | "htpasswd" | { readonly htpasswd: string } | TokenServer;
  /** PEM files: its own, and where it wants certificates from clients, that of their authority. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
  /** Where it keeps what it has, for longer than the test. */
  readonly storage?: string;
}

/** Debian's docker-registry, empty. */
export function startDockerRegistry({ auth, tls, storage }: DockerRegistryOptions): Promise<string> {
  const folder = temporaryFolder();
  const file = join(folder, "htpasswd");
  writeFileSync(file, typeof auth === "object" && "htpasswd" in auth ? `${auth.htpasswd}\n` : passwords);
  const config = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: storage ?? join(folder, "data") }, delete: { enabled: true } },
    http: {
      addr: "127.0.0.1:0",
      ...(tls
        ? {
            tls: {
              certificate: tls.certificate,
              key: tls.key,
              ...(tls.clientAuthority ? { clientcas: [tls.clientAuthority] } : {}),
            },
          }
        : {}),
    },
    ...(auth === "none"
      ? {}
      : { auth: isTokenServer(auth) ? { token: auth.registryConfig } : { htpasswd: { realm: "x", path: file } } }),
  };
  const path = join(folder, "config.yml");
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config));
  return startRegistry("docker-registry", ["serve", path], /listening on 127\.0\.0\.1:(\d+)/);
}

function isTokenServer(auth: DockerRegistryOptions["auth"]): auth is TokenServer {
  return typeof auth === "object" && "realm" in auth;
}
