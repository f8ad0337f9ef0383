import { UserError } from "../core/errors.ts";
import { sha256, splitDigest } from "../oci/digest.ts";
import { secretKey } from "../secrets/secrets.ts";
import type { Content, ContentSecret, ContentText } from "./content.ts";
import type { Repositories, Repository } from "./model.ts";

/** The sync program's argument for one repository, as JSON. Process lists show it. */
export interface RepositoryToSync {
  readonly url: string;
  /** Undefined: the main branch at the first clone. */
  readonly commit?: string;
  /** Relative, in the volume. */
  readonly folder: string;
  /** Name of the password's secret, for errors. */
  readonly secret?: string;
  /** The base name of the files `.username` and `.password`. */
  readonly login?: string;
}

/** Certificates of authorities for git servers, besides the public ones. */
export const authoritiesFile = "authorities.pem";

export function repositoriesContent(repositories: Repositories, authorities: string | undefined): Content {
  const { dataset, mountPath } = repositories;
  const all = repositories.repositories.map((repository, index) => ({
    repository,
    toSync: toSync(repository, String(index)),
  }));
  return {
    kind: "repositories",
    claim: dataset,
    arguments: all.map(({ toSync: each }) => `--repository=${JSON.stringify(each)}`),
    mounts: all.map(({ repository, toSync: { folder } }) => ({ path: `${mountPath}/${repository.name}`, folder })),
    secrets: all.flatMap(({ repository: { secret }, toSync: { login } }): ContentSecret[] =>
      secret === undefined ? [] : [{ secret, key: secretKey, file: `${login}.password` }],
    ),
    texts: [
      ...all.flatMap(({ repository: { username }, toSync: { login } }): ContentText[] =>
        username === undefined ? [] : [{ text: username, file: `${login}.username` }],
      ),
      ...(authorities === undefined ? [] : [{ text: authorities, file: authoritiesFile }]),
    ],
  };
}

function toSync({ url, commit, username, secret }: Repository, login: string): RepositoryToSync {
  return {
    url,
    ...(commit === undefined ? {} : { commit }),
    folder: `repositories/${splitDigest(sha256(url)).hex.slice(0, 16)}/${commit ?? "first"}`,
    ...(secret === undefined ? {} : { secret }),
    ...(username === undefined ? {} : { login }),
  };
}

/** Whether one address's server may receive the other's password. */
export function isSameServer(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

/** Refuses a password that would break git's line-based protocol. */
export function requireOneLine(password: string, secret: string, url: string): void {
  if (!/[\0\r\n]/.test(password)) return;
  throw new UserError(
    { code: "credential-invalid", culprit: secret },
    `The secret ${secret}, the password for ${url}, has more than one line.`,
    `Set it to the password alone: \`slipway secret set ${secret}\`.`,
  );
}
