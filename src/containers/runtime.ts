import type { Environment } from "../core/environment.ts";
import { findExecutable } from "../core/executables.ts";
import type { ContainerClient } from "./client.ts";

export function otherRuntime(client: ContainerClient, words: string, env: Environment): string | undefined {
  const isAtFault = /\bcrun\b/.test(words) && /OCI runtime error|OCI permission denied/.test(words);
  if (client.name !== "podman" || !isAtFault) return undefined;
  return findExecutable("runc", { PATH: `${env["PATH"] ?? ""}:/usr/sbin:/sbin` });
}
