import { Failure, UserError } from "../../core/errors.ts";
import { type GitOutcome, lastWords } from "./command.ts";

/**
 * What went wrong between git and a server, with what to do about it.
 *
 * @param url of the repository
 * @param doing what follows `while`
 */
export function serverFailure(
  url: string,
  doing: string,
  { stderr, trail, keySource }: GitOutcome,
): UserError | Failure {
  const words = lastWords(stderr);
  const where = `${url} while ${doing}`;
  if (trail.refused !== undefined) {
    return new UserError(
      `The git server refused the password from ${trail.refused} for ${where}.`,
      "Correct it there, and check that it may read this repository.",
    );
  }
  if (trail.unanswered) {
    return new UserError(
      `The git server wants a password for ${where}, and there is none for it.`,
      "Give one with `slipway credentials add --service git`, or check the address: many servers ask this for repositories that they do not have.",
    );
  }
  if (/Host key verification failed|host key is known|REMOTE HOST IDENTIFICATION HAS CHANGED/.test(stderr)) {
    return new UserError(
      `The SSH key of the git server of ${where} is not among the known hosts, or is another one.`,
      "Compare the server's key with what its owner publishes, then add it to ~/.ssh/known_hosts (`ssh-keyscan HOST` prints it).",
    );
  }
  if (/Permission denied \(|Too many authentication failures/.test(stderr)) {
    const key = keySource === undefined ? "your SSH keys" : `the SSH key from ${keySource}`;
    return new UserError(
      `The git server refused ${key} for ${where}.`,
      "Add the key's public half to the server, or give another with `slipway credentials add --service git`.",
    );
  }
  if (/SSL certificate|certificate verif|server verification failed/i.test(stderr)) {
    return new UserError(
      `The certificate of the git server of ${where} is not trusted: ${words}.`,
      "Name your authority's certificate in GIT_SSL_CAINFO or SSL_CERT_FILE.",
    );
  }
  if (/transport '[^']*' not allowed/.test(stderr)) {
    return new UserError(
      `The git server sends elsewhere, by a protocol that is not allowed, for ${where}: ${words}.`,
      "Use the address at which the repository is now.",
    );
  }
  if (
    /Could not resolve host|Could not resolve hostname|Failed to connect|Connection refused|Connection timed out|Operation too slow|Network is unreachable|timed out/i.test(
      stderr,
    )
  ) {
    return new UserError(
      `The git server does not answer for ${where}: ${words}.`,
      "Check the address and the network; behind a proxy, set HTTPS_PROXY.",
    );
  }
  if (
    /Repository not found|repository '[^']*' not found|does not appear to be a git repository|does not exist|The requested URL returned error: 404/i.test(
      stderr,
    )
  ) {
    return new UserError(
      `There is no repository ${where}, or not for you: ${words}.`,
      "Check the address; for a private one, give a credential with `slipway credentials add --service git`.",
    );
  }
  return new Failure(
    `git failed at ${where}: ${words}.`,
    "Try again; `git ls-remote` with the same address may tell more.",
  );
}

/** Whether a server said that it does not have a commit, or does not give one by its id. */
export function isCommitRefused({ stderr }: GitOutcome): boolean {
  return /not our ref|unadvertised object|couldn't find remote ref|no such remote ref|Server does not allow request/i.test(
    stderr,
  );
}
