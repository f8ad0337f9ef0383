import { describe, expect, it } from "vitest";
import type { RegistryError } from "../errors.ts";
import { actionOf, parseRoute } from "./routes.ts";

describe("parseRoute", () => {
  it.each([
    ["/v2/", { kind: "base", repository: "", reference: "" }],
    ["/v2", { kind: "base", repository: "", reference: "" }],
    ["/v2/a/tags/list", { kind: "tags", repository: "a", reference: "" }],
    ["/v2/a/b/blobs/uploads/", { kind: "uploads", repository: "a/b", reference: "" }],
    ["/v2/a/b/blobs/uploads", { kind: "uploads", repository: "a/b", reference: "" }],
    ["/v2/a/blobs/uploads/x", { kind: "upload", repository: "a", reference: "x" }],
    ["/v2/a/blobs/sha256:x", { kind: "blob", repository: "a", reference: "sha256:x" }],
    ["/v2/a/manifests/v1", { kind: "manifest", repository: "a", reference: "v1" }],
    ["/v2/a/referrers/d", { kind: "referrers", repository: "a", reference: "d" }],
    [
      "/v2/manifests/blobs/tags/manifests/list",
      { kind: "manifest", repository: "manifests/blobs/tags", reference: "list" },
    ],
  ])("reads %s", (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  it.each([
    ["/v2/_catalog", "UNSUPPORTED"],
    ["/v2/a/manifests/", "UNSUPPORTED"],
    ["/v2/A/manifests/x", "NAME_INVALID"],
    ["/v2/../x/manifests/x", "NAME_INVALID"],
    ["/v2/a/_tags/manifests/x", "NAME_INVALID"],
    ["/v2//manifests/x", "UNSUPPORTED"],
  ])("refuses %s", (path, code) => {
    expect(() => parseRoute(path)).toThrow(expect.objectContaining({ code }) as RegistryError);
  });

  it("asks for push wherever something could change or another's upload be seen", () => {
    expect(actionOf(parseRoute("/v2/a/manifests/x"), "GET")).toBe("pull");
    expect(actionOf(parseRoute("/v2/a/manifests/x"), "DELETE")).toBe("push");
    expect(actionOf(parseRoute("/v2/a/blobs/uploads/x"), "GET")).toBe("push");
    expect(actionOf(parseRoute("/v2/a/blobs/uploads/"), "POST")).toBe("push");
  });
});
