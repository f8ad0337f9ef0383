import type { SecureContext } from "node:tls";

/** What TLS connections are made with. All PEM. */
export interface Trust {
  /** Authorities besides those that are trusted anyway. */
  readonly authorities?: readonly string[] | undefined;
  /** Shown to the registry itself, to nobody else. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string } | undefined;
}

/** How much is trusted: what is quick to load, which mostly is enough; or all that this machine and Node trust as well. */
export type Width = "narrow" | "wide";

/**
 * The context for connections. Narrow: the registry's own authorities, or Node's where it has none. Wide: both, and the authorities that
 * this machine's administrator installed, which curl, docker and podman trust too; loading these takes 100 to 200 ms.
 *
 * @returns undefined where Node's default will do
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

/** Whether a connection failed because nobody who is trusted vouches for the other side. */
export function isTrustFault(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  return /^(UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?)$/.test(
    code,
  );
}
