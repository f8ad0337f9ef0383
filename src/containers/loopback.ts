import { endpointOf, isLoopback } from "../oci/endpoint.ts";
import { parseReference } from "../oci/reference.ts";

/** Whether an image comes from a registry on this machine's loopback interface, where plain HTTP is no risk. */
export function isFromLoopback(image: string): boolean {
  return isLoopback(endpointOf(parseReference(image).registry).base);
}
