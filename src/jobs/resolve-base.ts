import type { Environment } from "../core/environment.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { EnvironmentKind } from "../python-environments/model.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { openByName } from "../registry/open-by-name.ts";
import type { EnvironmentGround } from "./model.ts";
import { resolveTag } from "./resolve-image.ts";

export interface BaseOptions {
  /** Default: this process's. */
  readonly env?: Environment;
  /** Opens a registry by name. Default: with the credentials of docker and podman, the embedded one over its socket. */
  readonly openRegistry?: (registry: string) => Promise<RegistryClient>;
  /** Whether environments of files will be images, so that the base they stand on is looked up. Default: where the deployment names it. */
  readonly needsImages?: boolean;
}

/**
 * The image that an environment stands on where none is named: `SLIPWAY_ENVIRONMENT_BASE`, in which `{python}` is the version of Python; else
 * Docker's slim image of that Python, and Debian for conda, which brings its own.
 */
export function defaultBase(kind: EnvironmentKind, python = "3", env: Environment = process.env): string {
  const own = env["SLIPWAY_ENVIRONMENT_BASE"];
  if (own) return own.replaceAll("{python}", python);
  return kind === "CondaEnv" ? "docker.io/library/debian:stable-slim" : `docker.io/library/python:${python}-slim`;
}

/**
 * The base of an environment by its digest.
 *
 * @returns undefined where none is named and none is needed
 * @throws UserError as `resolveTag`
 */
export async function resolveBase(
  { kind, python, base: named }: EnvironmentGround & { readonly kind: EnvironmentKind },
  options: BaseOptions & { readonly platform: string },
): Promise<string | undefined> {
  if (named === undefined && !options.needsImages) return undefined;
  const {
    registry,
    repository,
    tag = "latest",
    digest,
  } = parseReference(named ?? defaultBase(kind, python, options.env));
  if (digest !== undefined) return formatReference({ registry, repository, digest });
  const open = options.openRegistry ?? ((name: string) => openByName(name, options.env));
  const asked = { repository: formatReference({ registry, repository }), tag };
  const resolved = await resolveTag(asked, options.platform, open);
  return formatReference({ registry, repository, digest: resolved.digest });
}
