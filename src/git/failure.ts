import type { ErrorCode } from "../core/error-codes.ts";
import { Failure, UserError } from "../core/errors.ts";
import { type GitOutcome, lastWords } from "./command.ts";

interface KnownFailure {
  readonly sign: RegExp;
  readonly code: ErrorCode;
  readonly problem: (where: string, words: string, key: string) => string;
  readonly remedy: string;
}

const knownFailures: readonly KnownFailure[] = [
  {
    sign: /Host key verification failed|host key is known|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: "git-unreachable",
    problem: (where) => `The SSH key of the git server of ${where} is unknown or has changed.`,
    remedy:
      "Compare the server's key with the one that its owner publishes, then add it to ~/.ssh/known_hosts (`ssh-keyscan HOST` prints it).",
  },
  {
    sign: /Permission denied \(|Too many authentication failures/,
    code: "git-login",
    problem: (where, _, key) => `The git server refused ${key} for ${where}.`,
    remedy: "Add the key's public half to the server, or give another with `slipway credentials add --service git`.",
  },
  {
    sign: /SSL certificate|certificate verif|server verification failed/i,
    code: "git-unreachable",
    problem: (where, words) => `The certificate of the git server of ${where} is not trusted: ${words}.`,
    remedy: "Name your authority's certificate in GIT_SSL_CAINFO or SSL_CERT_FILE.",
  },
  {
    sign: /transport '[^']*' not allowed/,
    code: "git-failed",
    problem: (where, words) => `The git server redirects to a protocol that is not allowed, for ${where}: ${words}.`,
    remedy: "Use the current address of the repository.",
  },
  {
    sign: /Could not resolve host|Failed to connect|Connection refused|Operation too slow|Network is unreachable|timed out/i,
    code: "git-unreachable",
    problem: (where, words) => `The git server does not answer for ${where}: ${words}.`,
    remedy: "Check the address and the network; behind a proxy, set HTTPS_PROXY.",
  },
  {
    sign: /Repository not found|repository '[^']*' not found|does not appear to be a git repository|does not exist|The requested URL returned error: 404/i,
    code: "git-not-found",
    problem: (where, words) => `There is no repository ${where}, or you may not see it: ${words}.`,
    remedy: "Check the address; for a private one, give a credential with `slipway credentials add --service git`.",
  },
];

/** @param doing what follows `while` */
export function serverFailure(
  url: string,
  doing: string,
  { stderr, trail, keySource }: GitOutcome,
): UserError | Failure {
  const words = lastWords(stderr);
  const where = `${url} while ${doing}`;
  const refused = { code: "git-login", culprit: url } as const;
  if (trail.refused !== undefined) {
    return new UserError(
      refused,
      `The git server refused the password from ${trail.refused} for ${where}.`,
      "Correct it there, and check that it may read this repository.",
    );
  }
  if (trail.unanswered) {
    return new UserError(
      refused,
      `The git server wants a password for ${where}, and none is stored for it.`,
      "Give one with `slipway credentials add --service git`, or check the address: many servers ask for a password if the repository does not exist.",
    );
  }
  const found = knownFailures.find(({ sign }) => sign.test(stderr));
  if (found) {
    const key = keySource === undefined ? "your SSH keys" : `the SSH key from ${keySource}`;
    return new UserError({ code: found.code, culprit: url }, found.problem(where, words, key), found.remedy);
  }
  return new Failure(
    { code: "git-failed", culprit: url },
    `git failed at ${where}: ${words}.`,
    "Try again; `git ls-remote` with the same address may tell more.",
  );
}

export function isCommitRefused({ stderr }: GitOutcome): boolean {
  return /not our ref|unadvertised object|couldn't find remote ref|no such remote ref|Server does not allow request/i.test(
    stderr,
  );
}
