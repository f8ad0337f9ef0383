/** What proves to a service who asks. Never printed, never put into an error or a process's arguments. */
export type Credential =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, which is exchanged at the token service: what `docker login` keeps for some registries. */
  | { readonly kind: "identity-token"; readonly token: string };

/** What a search for a credential found, and what a person must know when that was not enough. */
export interface CredentialSearch {
  readonly credential?: Credential;
  /** Where the credential is from, for people: a path, or a helper and the path that names it. */
  readonly source?: string;
  /** Every place that was looked at, in order. */
  readonly searched: readonly string[];
  /** What kept a place from being read, one sentence each. A search does not fail on them: public content needs no credential. */
  readonly problems: readonly string[];
}
