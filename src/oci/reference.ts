import { UserError } from "../core/errors.ts";
import { type Digest, isDigest } from "./digest.ts";
import { canonicalRegistry, dockerHub } from "./registry-host.ts";

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** Longer names are refused by registries and clients. */
const maximumRepositoryLength = 255;

/** `registry/repository[:tag][@digest]`. */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

export function isRepository(text: string): boolean {
  return text.length <= maximumRepositoryLength && repositoryPattern.test(text);
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** As Docker and podman: `ubuntu` is `registry-1.docker.io/library/ubuntu`, but without a default tag. */
export function parseReference(text: string): Reference {
  const fail = (problem: string): never => {
    throw new UserError(
      { code: "reference-invalid", culprit: text },
      `Image reference ${JSON.stringify(text)}: ${problem}.`,
      "Write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST.",
    );
  };
  if (text === "") return fail("it is empty");
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) return fail(`it starts with ${scheme}, but image references have no scheme`);
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) return fail(`${JSON.stringify(digest)} is not a digest`);

  const named = at < 0 ? text : text.slice(0, at);
  const slash = named.indexOf("/");
  const first = named.slice(0, Math.max(slash, 0));
  // By Docker's rule, the first component is a registry only when it cannot be a repository of Docker Hub.
  const hasRegistry = first === "localhost" || /[.:A-Z[\u0080-\uffff]/.test(first);
  const registry = hasRegistry ? canonicalRegistry(first) : dockerHub;
  if (registry === undefined) return fail(`${JSON.stringify(first)} is not a host with an optional port`);

  const rest = hasRegistry ? named.slice(slash + 1) : named;
  const colon = rest.lastIndexOf(":");
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (tag !== undefined && !isTag(tag))
    return fail(`${JSON.stringify(tag)} is not a tag (128 letters, digits, and _ . - at most, no . or - first)`);

  const path = colon < 0 ? rest : rest.slice(0, colon);
  const repository = registry === dockerHub && !path.includes("/") ? `library/${path}` : path;
  if (!isRepository(repository)) {
    return fail(
      `${JSON.stringify(path)} is not a repository name (lower-case letters, digits, and . _ - between them)`,
    );
  }
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** Docker Hub is written `docker.io`, the name that engines look up credentials and mirrors by. */
export function formatReference(reference: Reference): string {
  const registry = reference.registry === dockerHub ? "docker.io" : reference.registry;
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${registry}/${reference.repository}${tag}${digest}`;
}

export function referenceIn(value: string): Reference | undefined {
  try {
    return parseReference(value);
  } catch {
    return undefined;
  }
}
