import { Failure, UserError } from "../../oci/errors.ts";
import type { Identity } from "./auth.ts";
import type { Endpoint } from "./endpoint.ts";
import type { HttpResponse } from "./http.ts";

/** Bytes of an error answer that are read. */
const maximumAnswer = 64 * 1024;

/** A registry or its token service knows who asks, or that nobody in particular does, and says no. */
export class AccessRefused extends UserError {}

/** The registry does not do such a thing at all. */
export class Unsupported extends UserError {}

/** What was being done, for errors: a verb's form that follows "while", and the repository. */
export interface Step {
  /** Such as `uploading blob sha256:…`. */
  readonly doing: string;
  readonly repository?: string | undefined;
}

/** The registry's own words, by the distribution specification's "Error Codes", fit for one line of a terminal. */
export interface RegistryWords {
  readonly code: string;
  readonly message: string;
}

export async function readWords(response: HttpResponse): Promise<RegistryWords> {
  let text = "";
  try {
    for await (const chunk of response.body) {
      text += (chunk as Buffer).toString("latin1");
      if (text.length > maximumAnswer) break;
    }
    const first = JSON.parse(Buffer.from(text, "latin1").toString("utf8"))?.errors?.[0];
    return { code: printable(first?.code), message: printable(first?.message) };
  } catch {
    return { code: "", message: "" };
  }
}

/** Reads an answer that nobody needs, so that its connection can serve again. */
export async function discard(response: HttpResponse): Promise<void> {
  let seen = 0;
  try {
    for await (const chunk of response.body) {
      seen += (chunk as Buffer).length;
      if (seen > maximumAnswer) break;
    }
  } catch {
    // A connection that broke serves nobody again; the next request makes another.
  }
}

/** The error for an answer that ends a step. Exit status 2 where the user can do something about it. */
export function refusalError(
  endpoint: Endpoint,
  step: Step,
  answer: { status: number; words: RegistryWords; attempts: number },
  identity: Identity,
): Error {
  const { registry } = endpoint;
  const { status, words } = answer;
  const said = [status, words.code, words.message && `(${words.message})`].filter(Boolean).join(" ");
  const tries = answer.attempts > 1 ? ` ${answer.attempts} times` : "";
  const problem = `Registry ${registry} answered ${said}${tries} while ${where(step)}`;
  if (status === 401 || status === 403) {
    const asked = identity.source ? `, asked with the credential from ${identity.source}` : ", asked anonymously";
    return new AccessRefused(`${problem}${asked}.${problems(identity)}`, loginRemedy(registry, identity));
  }
  if (status === 507 || /no space left|disk (is )?full|quota exceeded/i.test(words.message)) {
    return new UserError(
      `Registry ${registry} has no room left: it answered ${said} while ${where(step)}.`,
      "Free space where it keeps its data (`slipway registry gc` for the embedded one), then run this again.",
    );
  }
  if (status === 413) {
    return new UserError(
      `${problem}: something on the way to it takes no content of that size.`,
      "Raise the size limit of the registry or of the proxy before it.",
    );
  }
  if (status === 404) {
    return new UserError(`${problem}.`, "Check the names of the registry and the repository.");
  }
  return new Failure(`${problem}.`, "Try again later; if it stays, whoever runs the registry can look into its log.");
}

/** The error for a registry that could not be talked to at all. */
export function unreachableError(endpoint: Endpoint, step: Step, attempts: number, cause: unknown): Error {
  const { registry, base } = endpoint;
  const { code = "", message = "" } = cause as NodeJS.ErrnoException;
  const tries = attempts > 1 ? ` ${attempts} times` : "";
  if (/CERT|SELF_SIGNED|ERR_TLS|UNABLE_TO/.test(code)) {
    return new UserError(
      `The certificate of registry ${registry} is not trusted (${code}) while ${where(step)}.`,
      "Give its authority with NODE_EXTRA_CA_CERTS=FILE.pem, or check that the name is the registry's.",
      { cause },
    );
  }
  // A name with several addresses fails with an AggregateError, whose own message is empty.
  const why = printable(message || (cause as AggregateError).errors?.[0]?.message || code);
  return new UserError(
    `Registry ${registry} does not answer (${why})${tries} while ${where(step)}.`,
    `Check its name, that it runs and that this machine reaches it: \`curl -i ${base.href}v2/\` must get an answer.`,
    { cause },
  );
}

function where(step: Step): string {
  return step.repository === undefined ? step.doing : `${step.doing} in ${step.repository}`;
}

function problems(identity: Identity): string {
  return identity.problems.map((problem) => ` ${problem}`).join("");
}

function loginRemedy(registry: string, identity: Identity): string {
  const looked = identity.searched.length > 0 ? ` Looked in: ${identity.searched.join(", ")}.` : "";
  return `Log in with \`docker login ${registry}\`, \`podman login ${registry}\` or \`slipway credentials add --service docker --url ${registry} …\` as someone who may do this.${looked}`;
}

/** Text from outside must not move a terminal's cursor or fill its screen. */
function printable(value: unknown): string {
  return typeof value === "string"
    ? value
        .replace(/\p{Cc}+/gu, " ")
        .trim()
        .slice(0, 300)
    : "";
}
