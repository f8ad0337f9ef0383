import { parseReference } from "../oci/reference.ts";
import { findEmbeddedRegistry, requestToken } from "../registry-server/ensure.ts";
import { isFromLoopback } from "./loopback.ts";
import type { Login } from "./run-folder.ts";

/** Milliseconds that a login must still be good for. */
const margin = 30_000;

/** Renews the login for pulling one image. */
export class LoginSource {
  readonly #image: string;
  #found: ReturnType<typeof timedLogin> | undefined;

  constructor(image: string) {
    this.#image = image;
  }

  async current(): Promise<Login | undefined> {
    const known = await this.#found;
    if (this.#found === undefined || (known !== undefined && known.expires - margin < Date.now())) {
      this.#found = timedLogin(this.#image);
    }
    return (await this.#found)?.login;
  }
}

/** Undefined for another registry's image, and if the embedded one does not run: the engine may have the image. */
export async function embeddedLogin(image: string): Promise<Login | undefined> {
  return (await timedLogin(image))?.login;
}

/** `expires` is in milliseconds since the epoch. */
async function timedLogin(image: string): Promise<{ login: Login; expires: number } | undefined> {
  if (!isFromLoopback(image)) return undefined;
  const embedded = await findEmbeddedRegistry();
  const { registry, repository } = parseReference(image);
  if (embedded === undefined || embedded.host !== registry) return undefined;
  const { token, expiresAt } = await requestToken(embedded.socketPath, { repository, actions: ["pull"] });
  return { login: { username: "token", password: token }, expires: Date.parse(expiresAt) };
}
