import { UserError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { type Endpoint, isLoopback } from "../../oci/endpoint.ts";

/** Domains whose subdomains belong to different owners, but which the Public Suffix List lacks. */
const shared: readonly string[] = ["amazonaws.com", "azure.com", "azurecr.cn", "azurecr.io", "jfrog.io"];

interface RealmOptions {
  readonly endpoint: Endpoint;
  readonly tokenService?: string | undefined;
  readonly secret: boolean;
}

/**
 * Checks the token service that a registry names, since a malicious registry could name any host. A credential may go
 * by TLS to the registry's host, a host of the same domain (`registry-1.docker.io` and `auth.docker.io`), or the host
 * in the user's settings. On loopback without TLS, it stays on the registry's port. Without a credential, any host
 * with TLS is fine.
 * @throws UserError that names the registry and the realm
 */
export async function checkedRealm(realm: string, { endpoint, tokenService, secret }: RealmOptions): Promise<URL> {
  const { registry, base } = endpoint;
  const refuse = (problem: string, remedy: string): never => {
    throw new UserError(
      { code: "token-service-untrusted", culprit: registry },
      `Registry ${registry} names the token service ${JSON.stringify(printable(realm.slice(0, 300)))}, which ${problem}; no credential was sent.`,
      remedy,
    );
  };
  const theirs = "Check the registry's name; if it is right, ask its administrator to correct its token realm.";
  if (!URL.canParse(realm)) return refuse("is not a URL", theirs);
  const url = new URL(realm);
  if (url.username !== "" || url.password !== "") return refuse("contains a user name", theirs);
  const bothHere = isLoopback(base) && isLoopback(url);
  const plainAnyway = base.protocol === "http:" && (url.hostname === base.hostname || bothHere);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && plainAnyway)) {
    return refuse("is not reached by https", theirs);
  }
  if (!secret || url.host === tokenService) return url;
  const remedy = `If it belongs to the registry, write \`tokenService: ${url.host}\` for ${registry} under \`registries\` in Slipway's configuration file.`;
  if (url.protocol === "http:" && isLoopback(url)) {
    return url.origin === base.origin ? url : refuse("is another server of this machine", remedy);
  }
  const trusted = url.hostname === base.hostname || (await isSameDomain(url.hostname, base.hostname));
  return trusted ? url : refuse("is in another domain", remedy);
}

async function isSameDomain(one: string, other: string): Promise<boolean> {
  const { getDomain } = await import("./public-suffix.mjs");
  const [domain, second] = [one, other].map((host) => getDomain(host, { allowPrivateDomains: true }));
  return typeof domain === "string" && domain === second && !shared.includes(domain);
}
