import { UserError } from "../core/errors.ts";
import { canonicalName, canonicalRegistry, isLoopbackHost } from "./registry-host.ts";

/** The address of a registry. */
export interface Endpoint {
  /** `host[:port]` in its canonical form. */
  readonly registry: string;
  readonly base: URL;
  /** Whether it is this machine's embedded registry. */
  readonly isEmbedded?: boolean;
}

/**
 * The address of a registry. Plain HTTP is only for registries on this machine.
 *
 * @param plainHttp speak plain HTTP to any host. Default: only to loopback
 * @throws UserError if the text is not `host[:port]`
 */
export function endpointOf(registry: string, plainHttp?: boolean): Endpoint {
  const name = canonicalRegistry(registry);
  if (name === undefined) {
    throw new UserError(
      { code: "reference-invalid", culprit: registry },
      `${JSON.stringify(registry)} is not the name of a registry.`,
      "Write HOST or HOST:PORT, for example registry.example.com or localhost:5000, without https:// and without a path.",
    );
  }
  const scheme = (plainHttp ?? isLoopback(new URL(`http://${name}`))) ? "http" : "https";
  return { registry: name, base: new URL(`${scheme}://${name}/`) };
}

/** Whether a URL's host is this machine by definition: `localhost`, 127.0.0.0/8, ::1. */
export function isLoopback(url: URL): boolean {
  return isLoopbackHost(canonicalName(url.hostname) ?? "");
}
