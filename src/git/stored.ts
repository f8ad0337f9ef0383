import type { Environment } from "../core/environment.ts";
import type { GitKey, GitPassword } from "./access.ts";

/** The password that the user gave to `slipway credentials add`. Loaded when a server asks: most do not. */
export async function storedPassword(url: string, env: Environment): Promise<GitPassword | undefined> {
  const { findPassword } = await import("../credentials/find-remote.ts");
  const { parseServiceUrl } = await import("../credentials/service-url.ts");
  const { credential, source = "slipway credentials" } = await findPassword(parseServiceUrl("git", url), ["git"], env);
  if (credential?.kind !== "password") return undefined;
  return { username: credential.username, password: credential.password, source };
}

/** The SSH key that the user gave to `slipway credentials add`. */
export async function storedKey(url: string, env: Environment): Promise<GitKey | undefined> {
  const { findSshKey } = await import("../credentials/find-remote.ts");
  const { parseServiceUrl } = await import("../credentials/service-url.ts");
  const { credential, source = "slipway credentials" } = await findSshKey(parseServiceUrl("git", url), env);
  return credential && { ...credential, source };
}
