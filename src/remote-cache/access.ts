import { remoteCacheSettings } from "../config/settings.ts";
import type { Trust } from "../config/trust.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { askBazelHelper } from "../credentials/ask-bazel-helper.ts";
import type { CacheAddress } from "./address.ts";

export interface CacheAccess {
  readonly trust: Trust;
  readonly env: Environment;
  /** Of every request, secrets among them. Asks the credential helper once. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

/** From `remoteCaches` in the configuration file. @throws UserError with file, line and key */
export async function accessTo(address: CacheAddress, env: Environment): Promise<CacheAccess> {
  const { headers, credentialHelper, ...trust } = await remoteCacheSettings(address.host, env);
  let asked: Promise<Readonly<Record<string, string>>> | undefined;
  const ask = async () => {
    if (!credentialHelper) return headers;
    const uri = address.kind === "http" ? address.base.href : `https://${address.host}/`;
    try {
      return { ...headers, ...(await askBazelHelper(credentialHelper.path, uri, env)) };
    } catch (cause) {
      throw new UserError(
        { code: "credential-invalid", culprit: credentialHelper.where },
        `${credentialHelper.where}: ${(cause as Error).message}.`,
        "Correct the helper, or remove the line.",
        { cause },
      );
    }
  };
  return { trust, env, headers: () => (asked ??= ask()) };
}
