/** A secret for a service. Never print it, or put it into an error or a process's arguments. */
export type Credential =
  | PasswordCredential
  /** An OAuth2 refresh token for the token service. `docker login` stores one for some registries. */
  | { readonly kind: "identity-token"; readonly token: string }
  /** A bearer token for the registry itself: `registrytoken` in Docker's configuration. */
  | { readonly kind: "registry-token"; readonly token: string };

export interface PasswordCredential {
  readonly kind: "password";
  readonly username: string;
  readonly password: string;
}

/** Whether Basic authentication (RFC 7617) and the helpers' protocols can carry it. */
export function isSendable({ username, password }: Omit<PasswordCredential, "kind">): boolean {
  return !username.includes(":") && !/\p{Cc}/u.test(username + password);
}

/** `Authorization` with a password: RFC 7617. */
export function basicAuthorization({ username, password }: PasswordCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** An SSH key: a file that OpenSSH reads, or a text that only goes to an SSH agent. */
export type SshKey =
  | { readonly kind: "ssh-key-file"; readonly path: string }
  | { readonly kind: "ssh-key"; readonly key: string };

/** One place that a search looked at, for `credentials explain`. */
export interface Consideration {
  /** A file, a helper, a variable, or a source of Slipway's own file. */
  readonly place: string;
  readonly used: boolean;
  /** Why it was used or not. */
  readonly reason: string;
}

/** The result of a search for a credential, with details for error messages. */
export interface CredentialSearch<Found = Credential> {
  readonly credential?: Found;
  /** Header fields that the user's Docker configuration adds for this registry. Only send them to its own origin. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The credential's expiry, if its issuer tells it. */
  readonly expiresAt?: Date;
  /** The credential's source, for people: a path, or a helper and the path that names it. */
  readonly source?: string;
  /** If the registry refuses the credential: what to correct. Undefined if a new login of podman or docker would replace it. */
  readonly correction?: string | undefined;
  /** Every place that was looked at, in order. */
  readonly searched: readonly string[];
  /** Problems of helpers, one sentence each. The search does not fail on them, since public content needs no credential. */
  readonly problems: readonly string[];
  /** The search, step by step. */
  readonly considered?: readonly Consideration[];
}
