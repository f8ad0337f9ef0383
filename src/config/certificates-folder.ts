import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { homeFolder } from "../core/user-folders.ts";
import { dockerHub } from "../oci/registry-host.ts";
import type { Trust } from "./trust.ts";

/**
 * Certificates of the first `certs.d/HOST[:PORT]` of the user's podman, the machine's podman or docker: each `*.crt` is
 * an authority, a `*.cert` with its `*.key` the client certificate (containers-certs.d(5)).
 */
export function certificatesOf(registry: string, env: Environment): Trust {
  const config = env["XDG_CONFIG_HOME"] || join(homeFolder(env), ".config");
  const name = registry === dockerHub ? "docker.io" : registry;
  for (const parent of [join(config, "containers"), "/etc/containers", "/etc/docker"]) {
    const folder = join(parent, "certs.d", name);
    const names = list(folder);
    if (names) return read(folder, names);
  }
  return {};
}

function list(folder: string): string[] | undefined {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Podman also ignores folders that it cannot read.
    return undefined;
  }
}

function read(folder: string, names: readonly string[]): Trust {
  const authorities = names.filter((name) => name.endsWith(".crt")).map((name) => content(folder, name));
  const certificate = names.find((name) => name.endsWith(".cert"));
  const key = certificate?.replace(/\.cert$/, ".key");
  return {
    ...(authorities.length > 0 ? { authorities } : {}),
    ...(certificate && key
      ? { clientCertificate: { certificate: content(folder, certificate), key: content(folder, key, certificate) } }
      : {}),
  };
}

/** @param certificate the one that the file is the key of */
function content(folder: string, name: string, certificate?: string): string {
  const path = join(folder, name);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what = certificate === undefined ? path : `${path}, the key of ${certificate} beside it,`;
    const remedy = `Make it a PEM file that you can read, or remove ${certificate ?? "it"}.`;
    throw new UserError({ code: "file-unreadable", culprit: path }, `${what} cannot be read (${code}).`, remedy, {
      cause,
    });
  }
}
