/** A pod's access to the repository of its image, as JSON in a Secret. Keep python/slipway/_pod_files.py the same. */
export interface PodAccess {
  /** `http(s)://HOST/v2/REPOSITORY/`. Undefined: no access. */
  readonly url?: string;
  /** The registry's own name, if pods reach it by another one. */
  readonly host?: string;
  /** Value of the header field. */
  readonly authorization?: string;
  /** ISO 8601. It is renewed before. Undefined: never. */
  readonly expires?: string;
  /** Additional certificate authorities, as PEM. */
  readonly ca?: readonly string[];
  /** Why there is no access, and what to do. */
  readonly problem?: string;
  readonly remedy?: string;
}
