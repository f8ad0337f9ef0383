import { parseReference } from "../../oci/reference.ts";
import { findEmbeddedRegistry, requestToken } from "../../registry/server/ensure.ts";
import { isFromLoopback } from "./loopback.ts";
import type { Login } from "./run-folder.ts";

/**
 * A short-lived login to pull an image from this user's embedded registry. For images from elsewhere the engine uses what the user has
 * logged in to.
 *
 * @returns undefined for an image of another registry, and when the embedded one does not run: the engine may have the image already
 */
export async function embeddedLogin(image: string): Promise<Login | undefined> {
  if (!isFromLoopback(image)) return undefined;
  const embedded = await findEmbeddedRegistry();
  const { registry, repository } = parseReference(image);
  if (embedded === undefined || embedded.host !== registry) return undefined;
  const { token } = await requestToken(embedded.socketPath, { repository, actions: ["pull"] });
  return { username: "token", password: token };
}
