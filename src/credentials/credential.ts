/** Never print it, or put it into an error or a process's arguments. */
export type Credential =
  | PasswordCredential
  | { readonly kind: "identity-token"; readonly token: string }
  /** For the registry itself: `registrytoken` in Docker's configuration. */
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

/** RFC 7617. */
export function basicAuthorization({ username, password }: PasswordCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** A file that OpenSSH reads, or a text that only goes to an SSH agent. */
export type SshKey =
  | { readonly kind: "ssh-key-file"; readonly path: string }
  | { readonly kind: "ssh-key"; readonly key: string };

/** For `credentials explain`. */
export interface Consideration {
  readonly place: string;
  readonly used: boolean;
  readonly reason: string;
}

export interface CredentialSearch<Found = Credential> {
  readonly credential?: Found;
  /** From the user's Docker configuration, only for the registry's own origin. */
  readonly headers?: Readonly<Record<string, string>>;
  /** If its issuer tells. */
  readonly expiresAt?: Date;
  /** For people: a path, or a helper and the path that names it. */
  readonly source?: string;
  /** The correction if the registry refuses it. Undefined: a new login of podman or docker replaces it. */
  readonly correction?: string | undefined;
  /** In order. */
  readonly searched: readonly string[];
  /** One sentence per helper. The search does not fail on them, since public content needs no credential. */
  readonly problems: readonly string[];
  readonly considered?: readonly Consideration[];
}
