import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";

export type CacheAddress = Readonly<
  | { kind: "grpc"; host: string; isTls: boolean; target: string; instance: string }
  | { kind: "http"; host: string; base: URL }
  | { kind: "disk"; host: string; folder: string }
>;

/**
 * The build setting `remote_cache`: `grpc://HOST[:PORT][/INSTANCE]`, `grpcs://…`, `unix:/SOCKET[?instance=NAME]`,
 * `http://HOST[:PORT][/PATH]`, `https://…`, or the folder of a disk cache, absolute or below `~/`.
 * @throws UserError without the text, which may contain a password
 */
export function parseCacheAddress(text: string): CacheAddress {
  if (text.startsWith("/")) return { kind: "disk", host: text, folder: text };
  if (text.startsWith("~/")) return { kind: "disk", host: text, folder: join(homedir(), text.slice(2)) };
  if (text.startsWith("unix:")) {
    const [target = "", query] = text.replace(/^unix:\/\//, "unix:").split("?", 2);
    const instance = new URLSearchParams(query).get("instance") ?? "";
    return { kind: "grpc", host: target, isTls: false, target, instance };
  }
  const [, scheme = "", rest = ""] = /^(grpcs?|https?):\/\/(.+)$/s.exec(text) ?? [];
  // URL knows the default port of http and https only, and gRPC has another one.
  const url = rest && URL.canParse(`cache://${rest}`) ? new URL(`cache://${rest}`) : undefined;
  if (!url?.hostname || url.username || url.password) {
    throw new UserError(
      { code: "target-invalid", culprit: "remote_cache" },
      `The build setting @slipway//bazel/settings:remote_cache ${url?.hostname ? "contains a user or a password" : "is not the address of a cache"}.`,
      "Set it to grpc://HOST, grpcs://HOST, http://HOST, https://HOST, unix:/SOCKET or a folder; credentials belong under `remoteCaches` in the configuration file.",
    );
  }
  const path = url.pathname.replace(/^\/+|\/+$/g, "");
  if (scheme.startsWith("http")) {
    const base = new URL(`${scheme}://${url.host}/${path ? `${path}/` : ""}`);
    return { kind: "http", host: base.host, base };
  }
  const isTls = scheme === "grpcs";
  const port = url.port || (isTls ? "443" : "80");
  return { kind: "grpc", host: url.host, isTls, target: `dns:${url.hostname}:${port}`, instance: path };
}
