/** What proves to a service who asks. Never printed, never put into an error or a process's arguments. */
export type Credential =
  | PasswordCredential
  /** An OAuth2 refresh token, which is exchanged at the token service: what `docker login` keeps for some registries. */
  | { readonly kind: "identity-token"; readonly token: string }
  /** A bearer token that the registry itself takes: `registrytoken` of Docker's configuration. */
  | { readonly kind: "registry-token"; readonly token: string };

export interface PasswordCredential {
  readonly kind: "password";
  readonly username: string;
  readonly password: string;
}

/** What opens an SSH server: a key in a file, which OpenSSH reads itself, or the text of one, which only its agent gets to see. */
export type SshKey =
  | { readonly kind: "ssh-key-file"; readonly path: string }
  | { readonly kind: "ssh-key"; readonly key: string };

/** One place that a search came by, for people who ask why. */
export interface Consideration {
  /** A file, a helper, a variable, or a source of Slipway's own file. */
  readonly place: string;
  readonly used: boolean;
  /** Why it was used, or was not: what follows `because`. */
  readonly reason: string;
}

/** What a search for a credential found, and what a person must know when that was not enough. */
export interface CredentialSearch<Found = Credential> {
  readonly credential?: Found;
  /** Header fields that the user's Docker configuration adds for this registry: only ever for its own origin. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Until when the credential is good, where its issuer says so. */
  readonly expiresAt?: Date;
  /** Where the credential is from, for people: a path, or a helper and the path that names it. */
  readonly source?: string;
  /** Every place that was looked at, in order. */
  readonly searched: readonly string[];
  /** What kept a helper from answering, one sentence each. A search does not fail on them: public content needs no credential. */
  readonly problems: readonly string[];
  /** The search, step by step. */
  readonly considered?: readonly Consideration[];
}
