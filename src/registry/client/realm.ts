import { UserError } from "../../core/errors.ts";
import { type Endpoint, isLoopback } from "./endpoint.ts";
import { printable } from "./refusal.ts";

/** Domains whose subdomains belong to different owners. */
const shared: readonly string[] = [
  ...["amazonaws.com", "appspot.com", "azure.com", "azurecr.cn", "azurecr.io", "azurewebsites.net", "cloudapp.net"],
  ...["cloudfront.net", "fly.dev", "github.io", "gitlab.io", "herokuapp.com", "jfrog.io", "ngrok.io", "onrender.com"],
  ...["pages.dev", "run.app", "vercel.app", "workers.dev"],
];

/** Second-level names under which countries let others register, as in `co.uk`. */
const registrable = /^(ac|co|com|edu|go|gob|gov|govt|gr|ltd|me|mil|ne|net|nom|nhs|or|org|plc|sch)\.[a-z]{2}$/;

interface RealmOptions {
  readonly endpoint: Endpoint;
  /** A further host that may get the credential, by the user's settings. */
  readonly tokenService?: string | undefined;
  /** Whether there is a credential to send. */
  readonly secret: boolean;
}

/**
 * Checks the token service that a registry names, since a malicious registry could name any host. A credential may go to the registry's own
 * host, by TLS to a host of the same domain (`registry-1.docker.io` and `auth.docker.io`), or to the host in the user's settings. Without a
 * credential, any host with TLS may be asked for an anonymous token.
 *
 * @throws UserError that names the registry and the realm
 */
export function checkedRealm(realm: string, { endpoint, tokenService, secret }: RealmOptions): URL {
  const { registry, base } = endpoint;
  const refuse = (problem: string, remedy: string): never => {
    throw new UserError(
      { code: "token-service-untrusted", culprit: registry },
      `Registry ${registry} names the token service ${JSON.stringify(printable(realm))}, which ${problem}; no credential was sent.`,
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
  const trusted = url.hostname === base.hostname || bothHere || url.host === tokenService;
  if (secret && !trusted && !isSameDomain(url.hostname, base.hostname)) {
    return refuse(
      "is in another domain",
      `If it belongs to the registry, write \`tokenService: ${url.host}\` for ${registry} under \`registries\` in Slipway's configuration file.`,
    );
  }
  return url;
}

/** Whether two hosts are in the same registered domain. */
function isSameDomain(one: string, other: string): boolean {
  const domain = domainOf(one);
  return domain !== undefined && domain === domainOf(other);
}

function domainOf(host: string): string | undefined {
  const labels = host.toLowerCase().split(".");
  // An address, or a name without a domain.
  if (!/^[a-z]/.test(labels.at(-1) ?? "") || labels.length < 2 || host.includes(":")) return undefined;
  const two = labels.slice(-2).join(".");
  if (!shared.includes(two) && !registrable.test(two)) return two;
  return labels.length > 2 ? labels.slice(-3).join(".") : undefined;
}
