import { Failure, UserError } from "../../core/errors.ts";

/** What an API server refused, as it says so itself (the object `Status`). */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** One word, such as `AlreadyExists`. */
  readonly reason: string;
  readonly message: string;
  /** Milliseconds after which a server that is too busy wants to be asked again. */
  readonly retryAfter?: number;
}

/** What was asked of the API server, for errors. */
export interface Question {
  readonly method: string;
  readonly path: string;
  /** Context of the kubeconfig. */
  readonly context: string;
  readonly server: string;
  readonly user: string;
}

class RefusalError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** What the API server refused, of an error that says so. */
export function refusalOf(error: unknown): Refusal | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof RefusalError ? cause.refusal : undefined;
}

/** Whether an error says that no answer came: the same question may be asked again. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Unanswered;
}

/** Whether an error may be over soon, whoever it is that does not answer: the server, or a node that it asks. */
export function mayPass(error: unknown): boolean {
  const status = refusalOf(error)?.status ?? 0;
  return isUnanswered(error) || status === 429 || status >= 500;
}

class Unanswered extends Error {}

/** The error for an answer that is a refusal. `retryAfter`: see {@link Refusal}. */
export function refusalError(question: Question, status: number, body: string, retryAfter?: number): Error {
  const refusal = { ...readStatus(status, body), status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  const options = { cause: new RefusalError(refusal) };
  const { message } = refusal;
  const { context, server, user } = question;
  const cluster = `Cluster ${context} (${server})`;
  if (status === 401) {
    return new UserError(
      `${cluster} does not take the credential of user ${user} in the kubeconfig.`,
      "Log in to the cluster again, as whoever runs it says.",
      options,
    );
  }
  const quota = /exceeded quota: .*/.exec(message)?.[0];
  if (status === 403 && quota !== undefined) {
    return new UserError(
      `${cluster} refuses for its quota: ${quota}.`,
      "Wait for other work to end, ask for less, or ask whoever runs the cluster for more.",
      options,
    );
  }
  const right = /User "([^"]*)" cannot (\S+) resource "([^"]+)"(?: in API group "([^"]*)")?(.*)$/s.exec(message);
  if (status === 403 && right) {
    const [, who = "", verb = "", resource = "", group = "", place = ""] = right;
    const full = group === "" ? resource : `${resource}.${group}`;
    return new UserError(
      `User ${who} may not ${verb} ${full}${place.replaceAll('"', "").split(":")[0]} of cluster ${context}.`,
      `Ask whoever runs the cluster to allow \`${verb}\` on \`${full}\`: docs/kubernetes.md has the whole role of jobs, of which \`slipway doctor\` tells what else is missing, and docs/services-kubernetes.md that of services.`,
      options,
    );
  }
  const namespace = /^namespaces "([^"]+)" not found/.exec(message)?.[1];
  if (status === 404 && namespace !== undefined) {
    return new UserError(
      `Cluster ${context} has no namespace ${namespace}.`,
      "Set SLIPWAY_KUBERNETES_NAMESPACE to one that it has, or have this one made.",
      options,
    );
  }
  if (status === 413) {
    return new UserError(
      `${cluster} refuses ${question.path} for its size.`,
      "Give it less input and environment.",
      options,
    );
  }
  return new Failure(
    `${cluster} refused ${question.method} ${question.path} with status ${status}: ${message}`,
    status >= 500 ? "Try again, and ask whoever runs the cluster." : "Change what the message names.",
    options,
  );
}

/** The error for a question without an answer. */
export function unansweredError({ context, server }: Question, error: unknown): Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  return new Failure(
    `Cluster ${context} (${server}) does not answer: ${wordsOf(cause)}.`,
    "Check that it runs and the way there, or choose another context with SLIPWAY_KUBERNETES_CONTEXT.",
    { cause: new Unanswered(cause.message, { cause }) },
  );
}

/** A failed connection says why in its cause, or, where several addresses were tried, in its errors. */
function wordsOf(error: Error): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error.cause;
  if (inner instanceof Error) return wordsOf(inner);
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}

function readStatus(status: number, body: string): { reason: string; message: string } {
  try {
    const { reason = "", message = "" } = JSON.parse(body) as { reason?: string; message?: string };
    if (message !== "") return { reason, message };
  } catch {
    // A proxy on the way answers with text of its own.
  }
  return { reason: "", message: body.trim().slice(0, 500) || `HTTP status ${status}` };
}
