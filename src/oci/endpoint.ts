import { UserError } from "../core/errors.ts";
import { canonicalName, canonicalRegistry, isLoopbackHost } from "./registry-host.ts";

export interface Endpoint {
  readonly registry: string;
  readonly base: URL;
  readonly isEmbedded?: boolean;
}

/** Plain HTTP is only for this machine, unless `plainHttp`. @throws UserError if it is not `host[:port]` */
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

export function isLoopback(url: URL): boolean {
  return isLoopbackHost(canonicalName(url.hostname) ?? "");
}
