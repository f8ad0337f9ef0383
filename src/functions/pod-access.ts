/** A pod's access to the repository of its image, as JSON in a Secret. Keep python/slipway/_pod_files.py the same. */
export interface PodAccess {
  /** `http(s)://HOST/v2/REPOSITORY/`. Undefined: pods get no access. */
  readonly url?: string;
  /** Name by which the registry knows itself, if pods reach it by another one. */
  readonly host?: string;
  /** Value of the header field. */
  readonly authorization?: string;
  /** When it is no longer good, ISO 8601. It is renewed before. Undefined: never. */
  readonly expires?: string;
  /** Authorities to trust besides, as PEM. */
  readonly ca?: readonly string[];
  /** Why there is no access, and what to do. */
  readonly problem?: string;
  readonly remedy?: string;
}
