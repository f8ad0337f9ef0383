/** Stands in `.bcr` for the account of the repository, until there is one. */
const placeholder = "OWNER";

/**
 * Where the repository is published: `https://github.com/ACCOUNT/slipway`, or undefined before it is.
 *
 * @param metadata text of .bcr/metadata.template.json
 */
export function repositoryOf(metadata: string): string | undefined {
  const { homepage } = JSON.parse(metadata) as { readonly homepage: string };
  return homepage.split("/").includes(placeholder) ? undefined : homepage;
}

/**
 * The address of the release archive, or undefined before there is one.
 *
 * @param source text of .bcr/source.template.json
 */
export function releaseUrl(source: string, metadata: string, version: string): string | undefined {
  const [owner, name] = repositoryOf(metadata)?.split("/").slice(-2) ?? [];
  if (!owner || !name) return undefined;
  const { url } = JSON.parse(source) as { readonly url: string };
  const values: Readonly<Record<string, string>> = { OWNER: owner, REPO: name, TAG: `v${version}`, VERSION: version };
  return url.replaceAll(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}

/**
 * The README as a package has it: other files of the repository are not there, so links to them lead to where the
 * repository is published,
 * or become plain text before it is.
 */
export function packedReadme(text: string, metadata: string, version: string): string {
  const repository = repositoryOf(metadata);
  return text.replaceAll(/\[([^\]]+)\]\((?!https?:|#)([^)]+)\)/g, (_, label: string, path: string) => {
    return repository ? `[${label}](${repository}/blob/v${version}/${path})` : label;
  });
}
