import type { SecureContext } from "node:tls";

/** Certificates for TLS connections, as PEM. */
export interface Trust {
  /** Additional trusted authorities. */
  readonly authorities?: readonly string[] | undefined;
  /** The client certificate. Only sent to the registry itself. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string } | undefined;
}

/** Narrow: authorities that load quickly and are usually enough. Wide: also all that this machine and Node trust. */
export type Width = "narrow" | "wide";

/**
 * Narrow: the registry's own authorities, or Node's if it has none. Wide: both, and those of this machine, which curl,
 * docker and podman also trust, but which take 100 to 200 ms to load.
 *
 * @returns undefined if Node's default is enough
 */
export function secureContext(trust: Trust, width: Width, withClientCertificate: boolean): SecureContext | undefined {
  const tls = process.getBuiltinModule("node:tls");
  const own = trust.authorities ?? [];
  const client = withClientCertificate ? trust.clientCertificate : undefined;
  if (width === "narrow" && own.length === 0 && !client) return undefined;
  const ca =
    width === "wide"
      ? [...new Set([...own, ...tls.getCACertificates("default"), ...tls.getCACertificates("system")])]
      : [...own];
  return tls.createSecureContext({
    ...(ca.length > 0 ? { ca } : {}),
    ...(client ? { cert: client.certificate, key: client.key } : {}),
  });
}

/** Whether a connection failed because no trusted authority signed the server's certificate. */
export function isTrustFault(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  return /^(UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?)$/.test(
    code,
  );
}
