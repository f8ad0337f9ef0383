/** As JSON in a Secret. Keep python/slipway/_pod_files.py the same. */
export interface PodAccess {
  /** `http(s)://HOST/v2/REPOSITORY/`. Undefined: no access. */
  readonly url?: string;
  /** If pods reach it by another one. */
  readonly host?: string;
  readonly authorization?: string;
  /** ISO 8601. Undefined: never. */
  readonly expires?: string;
  /** As PEM. */
  readonly ca?: readonly string[];
  /** Why there is no access, and what to do. */
  readonly problem?: string;
  readonly remedy?: string;
}

export interface GivenAccess {
  readonly content: PodAccess;
  /** A Secret of the namespace with a name and a password. */
  readonly credential?: string;
}
