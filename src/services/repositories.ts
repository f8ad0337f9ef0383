import { UserError } from "../core/errors.ts";
import { sha256, splitDigest } from "../oci/digest.ts";
import { secretKey } from "../secrets/secrets.ts";
import type { Content, ContentSecret, ContentText } from "./content.ts";
import type { Repositories, Repository } from "./model.ts";

/** The sync program's argument for one repository, as JSON: only public facts. */
export interface RepositoryToSync {
  readonly url: string;
  /** Undefined: what its main branch names when nobody has cloned it yet. */
  readonly commit?: string;
  /** Its path in the volume, relative. */
  readonly folder: string;
  /** Of the secret with its password, for errors. */
  readonly secret?: string;
  /** Files that have user and password: this name with `.username` and `.password`. */
  readonly login?: string;
}

/** The file with authorities that sign the certificates of git servers, beside those that everybody knows. */
export const authoritiesFile = "authorities.pem";

/** The content with a service's repositories. The same commit of the same address is at the same place for every service. */
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

/** Whether a password for one address may be told to whoever answers at the other. */
export function isSameServer(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

/** @throws UserError for a password that git's protocol cannot carry: what follows its first line would be told to git as something else */
export function requireOneLine(password: string, secret: string, url: string): void {
  if (!/[\0\r\n]/.test(password)) return;
  throw new UserError(
    { code: "credential-invalid", culprit: secret },
    `The secret ${secret}, the password for ${url}, has more than one line.`,
    `Set it to the password alone: \`slipway secret set ${secret}\`.`,
  );
}
