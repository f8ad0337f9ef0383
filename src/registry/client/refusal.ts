import type { ErrorCode } from "../../core/error-codes.ts";
import { Failure, UserError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { readWhole } from "../../core/read-whole.ts";
import type { CredentialSearch } from "../../credentials/credential.ts";
import { type Endpoint, isLoopback } from "../../oci/endpoint.ts";
import type { FaultBehindProxy, HttpResponse } from "./http.ts";

/** Bytes, and milliseconds for an answer that nobody needs. */
const maximumAnswer = 64 * 1024;
const discardTime = 2_000;

function errorOf(code: ErrorCode) {
  return class extends UserError {
    constructor(registry: string, problem: string, remedy: string, options?: ErrorOptions) {
      super({ code, culprit: registry }, problem, remedy, options);
    }
  };
}

export class AccessRefused extends errorOf("registry-login") {}

export class Unreachable extends errorOf("registry-unreachable") {}

export class Unsupported extends errorOf("registry-unsupported") {}

/** The remedy for an answer that does not look like a registry's. */
export const notARegistry = "Check the registry's name: registries do not answer like this.";

/** The registry broke the protocol or sent damaged content. `problem` follows its name. */
export function protocolError(
  registry: string,
  problem: string,
  remedy = "Try again; if the error stays, the registry's storage or a proxy before it damages content.",
  options?: ErrorOptions,
): Failure {
  return new Failure(
    { code: "registry-failed", culprit: registry },
    `Registry ${registry} ${problem}.`,
    remedy,
    options,
  );
}

export interface Step {
  readonly doing: string;
  readonly repository?: string | undefined;
}

/** For errors. Without a source: anonymous. */
export type Identity = Pick<CredentialSearch, "source" | "correction" | "searched" | "problems">;

/** By the distribution specification's "Error Codes", fit for one line of a terminal. */
type RegistryWords = Readonly<Record<"code" | "message" | "page", string>>;

/** `within` milliseconds. `holdsSecret`: whether a text contains a secret, which a registry may echo. */
export async function readWords(
  response: HttpResponse,
  within: number,
  holdsSecret: (text: string) => boolean,
): Promise<RegistryWords> {
  let page = "";
  try {
    page = (await readWhole(response.body, maximumAnswer, within)).toString("utf8");
    const first = JSON.parse(page)?.errors?.[0];
    const [code, message] = [first?.code, first?.message].map((word) =>
      typeof word === "string" && holdsSecret(word) ? "redacted: it contains a secret" : shortened(word),
    ) as [string, string];
    return { code, message, page };
  } catch {
    return { code: "", message: "", page };
  }
}

/** So that the connection can be reused. */
export async function discard(response: HttpResponse): Promise<void> {
  try {
    await readWhole(response.body, maximumAnswer, discardTime);
  } catch {
    // The next request opens another connection.
  }
}

export function refusalError(
  endpoint: Endpoint,
  step: Step,
  answer: { status: number; words: RegistryWords; attempts: number; isPage: boolean },
  identity: Identity,
): Error {
  const { registry } = endpoint;
  const { status, words } = answer;
  const said = [status, words.code, words.message && `(${words.message})`].filter(Boolean).join(" ");
  const tries = answer.attempts > 1 ? ` ${answer.attempts} times` : "";
  const problem = `Registry ${registry} answered ${said}${tries} while ${where(step)}`;
  if (status === 401 || status === 403) {
    return new AccessRefused(registry, `${problem}${askedAs(identity)}`, loginRemedy(registry, identity));
  }
  const tlsRemedy = `Write \`plainHttp: false\` in registries: {"${registry}": {…}} of Slipway's configuration file`;
  if (status === 400 && /HTTPS (port|server)/i.test(words.page)) {
    return new UserError(
      { code: "registry-tls", culprit: registry },
      `Registry ${registry} speaks TLS, but was asked by plain HTTP while ${where(step)}.`,
      `${tlsRemedy}.`,
    );
  }
  // The answer to HEAD has no words.
  const maySpeakTls = status === 400 && words.page === "" && endpoint.base.protocol === "http:";
  if (answer.isPage && !maySpeakTls && [400, 404, 405, 501].includes(status))
    return webServerError(registry, step, status);
  if (status === 507 || /no space left|disk (is )?full|quota exceeded/i.test(words.message)) {
    return new UserError(
      { code: "registry-full", culprit: registry },
      `Registry ${registry} has no room left: it answered ${said} while ${where(step)}.`,
      "Free space there (`slipway registry gc --now` for the embedded registry), then try again.",
    );
  }
  if (status === 413) {
    return new UserError(
      { code: "registry-refused", culprit: registry },
      `${problem}: the registry, or a proxy before it, does not accept content of that size.`,
      "Raise the size limit of the registry or of the proxy before it.",
    );
  }
  if (status === 404) {
    const culprit = step.repository === undefined ? registry : `${registry}/${step.repository}`;
    return new UserError(
      { code: "image-not-found", culprit },
      `${problem}.`,
      "Check the names of the registry and the repository.",
    );
  }
  return new Failure(
    { code: status >= 400 && status < 500 ? "registry-refused" : "registry-failed", culprit: registry },
    `${problem}.`,
    maySpeakTls
      ? `${tlsRemedy} if it speaks TLS. Otherwise, look into the registry's log.`
      : "Try again later; if the error stays, look into the registry's log.",
  );
}

export function webServerError(registry: string, step: Step, status: number): UserError {
  return new Unreachable(
    registry,
    `Host ${registry} is a web server, not a registry: it answered ${status} with a web page while ${where(step)}.`,
    "Check the name and the port of the registry.",
  );
}

/** Registries send no web pages. */
export function isWebPage({ headers }: HttpResponse): boolean {
  return /^text\/html\b/i.test(headers["content-type"] ?? "") && !headers["docker-distribution-api-version"];
}

export function unreachableError(endpoint: Endpoint, step: Step, attempts: number, cause: unknown): Error {
  const { registry, base } = endpoint;
  if (endpoint.isEmbedded) return embeddedError(registry, step, cause);
  const { code = "", message = "", proxy } = cause as FaultBehindProxy;
  const tries = attempts > 1 ? ` ${attempts} times` : "";
  // If the connection breaks during a write, only OpenSSL's message tells the reason.
  const words = /:SSL routines:[^:]*:([^:]*)/.exec(message)?.[1]?.trim().toUpperCase().replaceAll(" ", "_");
  const tls = tlsError(endpoint, code === "EPROTO" && words ? words : code, step, cause);
  if (tls) return tls;
  // An AggregateError, for a name with several addresses, has an empty message.
  const why = shortened(message || (cause as AggregateError).errors?.[0]?.message || code);
  if (proxy !== undefined) {
    return new Unreachable(
      registry,
      `Registry ${registry} does not answer through the proxy ${proxy} (${why})${tries} while ${where(step)}.`,
      "Check that variable and the proxy, or add the registry to NO_PROXY if you reach it without a proxy.",
      { cause },
    );
  }
  return new Unreachable(
    registry,
    `Registry ${registry} does not answer (${why})${tries} while ${where(step)}.`,
    `Check its name and the network: \`curl -i ${base.href}v2/\` must get an answer.${tlsHint(endpoint, code)}`,
    { cause },
  );
}

/** A server that speaks TLS closes a plain HTTP connection. */
function tlsHint({ registry, base }: Endpoint, code: string): string {
  if (base.protocol !== "http:" || code !== "ECONNRESET") return "";
  return ` If it speaks TLS, write \`plainHttp: false\` in registries: {"${registry}": {…}} of Slipway's configuration file.`;
}

function embeddedError(registry: string, step: Step, cause: unknown): Failure {
  return new Failure(
    { code: "embedded-registry", culprit: registry },
    `The embedded registry, ${registry}, stopped answering (${shortened((cause as Error).message)}) while ${where(step)}.`,
    "Run the command again: it goes on where this one ended. If the error stays, `slipway registry serve` tells why.",
    { cause },
  );
}

/** Undefined: not a fault of TLS. */
function tlsError({ registry, base }: Endpoint, code: string, step: Step, cause: unknown): Error | undefined {
  const entry = `registries: {"${registry}": {…}} of Slipway's configuration file`;
  const faults: readonly [fault: RegExp, problem: string, remedy: string][] = [
    [
      /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/,
      `Registry ${registry} does not speak TLS`,
      isLoopback(base)
        ? `If it speaks plain HTTP, remove \`plainHttp: false\` from ${entry}.`
        : `If it speaks plain HTTP, write \`plainHttp: true\` in ${entry}.`,
    ],
    [
      base.protocol === "http:" ? /^HPE_INVALID_/ : /^$/,
      `Registry ${registry} does not speak HTTP`,
      `If it speaks TLS, write \`plainHttp: false\` in ${entry}.`,
    ],
    [
      /ALERT/,
      `Registry ${registry} refused the TLS handshake`,
      `If it wants a client certificate, name its files with \`certificate\` and \`key\` in ${entry}.`,
    ],
    [
      /ALTNAME/,
      `The certificate of registry ${registry} is for another name`,
      "Call the registry by the name in its certificate.",
    ],
    [
      /CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO/,
      `The certificate of registry ${registry} is not trusted`,
      `Name the file of its authority with \`ca\` in ${entry}, or check that the name is the registry's.`,
    ],
  ];
  if (code === "") return undefined;
  const [, problem, remedy] = faults.find(([fault]) => fault.test(code)) ?? [];
  if (problem === undefined || remedy === undefined) return undefined;
  const identity = { code: "registry-tls", culprit: registry } as const;
  return new UserError(identity, `${problem} (${code}) while ${where(step)}.`, remedy, { cause });
}

function where(step: Step): string {
  return step.repository === undefined ? step.doing : `${step.doing} in ${step.repository}`;
}

/** The end of a sentence: the credential, and the problems of credential helpers. */
export function askedAs({ source, problems }: Identity): string {
  const asked = source ? `, asked with the credential from ${source}.` : ", asked anonymously.";
  return [asked, ...problems].join(" ");
}

export function loginRemedy(registry: string, identity: Identity): string {
  if (identity.correction !== undefined) return identity.correction;
  const looked = identity.searched.length > 0 ? ` Looked in: ${identity.searched.join(", ")}.` : "";
  return `Log in with \`docker login ${registry}\`, \`podman login ${registry}\` or \`slipway credentials add --service docker --url ${registry} …\` as a user with access.${looked}`;
}

/** Untrusted text for one line. */
function shortened(value: unknown): string {
  return typeof value === "string" ? printable(value.trim().slice(0, 300)) : "";
}
