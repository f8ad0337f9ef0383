import { isRepository } from "../../oci/reference.ts";
import { RegistryError } from "../errors.ts";
import type { Action } from "../tokens.ts";

/** Empty: the endpoint has no repository or reference. */
export interface Route {
  readonly kind: "base" | "tags" | "uploads" | "upload" | "blob" | "manifest" | "referrers";
  readonly repository: string;
  readonly reference: string;
}

/** A path's end decides, since a repository's name may have any of these words in it. */
const patterns: readonly (readonly [Route["kind"], RegExp])[] = [
  ["tags", /^(.+)\/tags\/list$/],
  ["uploads", /^(.+)\/blobs\/uploads\/?$/],
  ["upload", /^(.+)\/blobs\/uploads\/([^/]+)$/],
  ["blob", /^(.+)\/blobs\/([^/]+)$/],
  ["manifest", /^(.+)\/manifests\/([^/]+)$/],
  ["referrers", /^(.+)\/referrers\/([^/]+)$/],
];

/** The path is decoded. @throws RegistryError for one, or a repository's name, that the specification does not have */
export function parseRoute(path: string): Route {
  if (path === "/v2/" || path === "/v2") return { kind: "base", repository: "", reference: "" };
  const rest = path.slice("/v2/".length);
  for (const [kind, pattern] of patterns) {
    const [matched, repository = "", reference = ""] = pattern.exec(rest) ?? [];
    if (matched === undefined) continue;
    if (!isRepository(repository)) {
      throw new RegistryError(400, "NAME_INVALID", `${JSON.stringify(repository)} cannot be the name of a repository.`);
    }
    return { kind, repository, reference };
  }
  throw new RegistryError(404, "UNSUPPORTED", `This registry has nothing at ${path}.`);
}

export function actionOf(route: Route, method: string): Action {
  const reads = method === "GET" || method === "HEAD";
  return reads && route.kind !== "upload" ? "pull" : "push";
}
