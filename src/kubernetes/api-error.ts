import { Failure, UserError } from "../core/errors.ts";

export interface Refusal {
  readonly status: number;
  /** One word, such as `AlreadyExists`. */
  readonly reason: string;
  readonly message: string;
  readonly retryAfter?: number | undefined;
}

export interface Question {
  readonly method: string;
  readonly path: string;
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

export function refusalOf(error: unknown): Refusal | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof RefusalError ? cause.refusal : undefined;
}

/** Whether no response came, so that the same request can be sent again. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Unanswered;
}

/** Whether an error may pass: the server, or a node behind it, does not answer or is too busy. */
export function mayPass(error: unknown): boolean {
  const status = refusalOf(error)?.status ?? 0;
  return isUnanswered(error) || status === 429 || status >= 500;
}

class Unanswered extends Error {}

export function refusalError(
  question: Question,
  status: number,
  body: string,
  retryAfter?: number,
): UserError | Failure {
  const refusal = { ...readStatus(status, body), status, retryAfter };
  const options = { cause: new RefusalError(refusal) };
  const { message } = refusal;
  const { context, server, user } = question;
  const cluster = `Cluster ${context} (${server})`;
  const refused = (culprit: string, problem: string, remedy: string) =>
    new UserError({ code: "cluster-refused", culprit }, problem, remedy, options);
  if (status === 401) {
    return new UserError(
      { code: "cluster-login", culprit: user },
      `${cluster} refused the credential of user ${user} in the kubeconfig.`,
      "Log in to the cluster again.",
      options,
    );
  }
  const quota = /exceeded quota: .*/.exec(message)?.[0];
  if (status === 403 && quota !== undefined) {
    return refused(
      context,
      `${cluster} has no quota left: ${quota}.`,
      "Wait for other work to end, request less, or ask the cluster's administrator for more.",
    );
  }
  const right = /User "([^"]*)" cannot (\S+) resource "([^"]+)"(?: in API group "([^"]*)")?(.*)$/s.exec(message);
  if (status === 403 && right) {
    const [, who = "", verb = "", resource = "", group = "", place = ""] = right;
    const full = group === "" ? resource : `${resource}.${group}`;
    return refused(
      `${verb} ${full}`,
      `User ${who} may not ${verb} ${full}${place.replaceAll('"', "").split(":")[0]} of cluster ${context}.`,
      `Ask the cluster's administrator to allow \`${verb}\` on \`${full}\`. \`slipway doctor\` lists what else is missing; docs/kubernetes.md has the whole role of jobs, and docs/services-kubernetes.md that of services.`,
    );
  }
  const namespace = /^namespaces "([^"]+)" not found/.exec(message)?.[1];
  if (status === 404 && namespace !== undefined) {
    return refused(
      namespace,
      `Cluster ${context} has no namespace ${namespace}.`,
      "Set SLIPWAY_KUBERNETES_NAMESPACE to an existing namespace, or create this one.",
    );
  }
  if (status === 413) {
    const problem = `${cluster} refused ${question.path}, because it is too large.`;
    return refused(question.path, problem, "Pass less input and fewer environment variables.");
  }
  return new Failure(
    { code: "cluster-refused", culprit: question.path },
    `${cluster} refused ${question.method} ${question.path} with status ${status}: ${message}`,
    status >= 500 ? "Try again, or ask the cluster's administrator." : "Correct what the cluster names.",
    options,
  );
}

export function unansweredError({ context, server }: Question, error: unknown): Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  return new Failure(
    { code: "cluster-unreachable", culprit: context },
    `Cluster ${context} (${server}) does not answer: ${wordsOf(cause)}.`,
    "Check the cluster and the network, or choose another context with SLIPWAY_KUBERNETES_CONTEXT.",
    { cause: new Unanswered(cause.message, { cause }) },
  );
}

export function passingFailure({ code, culprit, problem, remedy }: UserError): Failure {
  return new Failure({ code, culprit }, problem, remedy, { cause: new Unanswered(problem) });
}

/** The reason of a failed connection is in its cause or, if several addresses were tried, in its errors. */
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
    // A proxy answers with its own text.
  }
  return { reason: "", message: body.trim().slice(0, 500) || `HTTP status ${status}` };
}
