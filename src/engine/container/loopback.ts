import { parseReference } from "../../oci/reference.ts";

/** Whether an image comes from a registry on this machine's loopback interface, where plain HTTP is no risk. */
export function isLoopback(image: string): boolean {
  const host = parseReference(image).registry.replace(/:\d+$/, "");
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
