import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { matchLength, parseServiceUrl, type Service, services } from "./service-url.ts";

function matches(service: Service, source: string, asked: string): boolean {
  return matchLength(parseServiceUrl(service, source), parseServiceUrl(service, asked)) !== undefined;
}

describe("the URL of a service", () => {
  it.each([
    ["docker", "registry.example.com", { host: "registry.example.com", path: "" }],
    ["docker", "localhost:5000/team", { host: "localhost", port: 5000, path: "team" }],
    ["docker", "https://index.docker.io/v1/", { host: "registry-1.docker.io", path: "" }],
    ["docker", "docker.io/library", { host: "registry-1.docker.io", path: "library" }],
    ["docker", "[::1]:5000", { host: "[::1]", port: 5000, path: "" }],
    ["git", "git@github.com", { scheme: "ssh", user: "git", host: "github.com", path: "" }],
    ["git", "git@github.com:org/app.git", { scheme: "ssh", user: "git", host: "github.com", path: "org/app" }],
    ["git", "github.com:org/app", { scheme: "ssh", host: "github.com", path: "org/app" }],
    ["git", "GitHub.com/org", { host: "github.com", path: "org" }],
    ["git", "ssh://git@h.org:2222/a/b", { scheme: "ssh", user: "git", host: "h.org", port: 2222, path: "a/b" }],
    ["git", "https://h.org/a/", { scheme: "https", host: "h.org", path: "a" }],
    ["git", "h.org:8443", { host: "h.org", port: 8443, path: "" }],
    ["http", "http://localhost:80/x", { scheme: "http", host: "localhost", port: 80, path: "x" }],
    ["http", "https://me@h.org/x", { scheme: "https", user: "me", host: "h.org", path: "x" }],
  ] as const)("of %s %s is understood", (service, text, expected) => {
    expect(parseServiceUrl(service, text)).toEqual(expected);
  });

  it("matches on a path boundary", () => {
    expect(matches("docker", "gcr.io/foo", "gcr.io/foo/app")).toBe(true);
    expect(matches("docker", "gcr.io/foo", "gcr.io/foobar/app")).toBe(false);
    expect(matches("docker", "gcr.io", "gcr.io.evil.com/app")).toBe(false);
    expect(matches("docker", "docker.io", "registry-1.docker.io/library/ubuntu")).toBe(true);
    const team = parseServiceUrl("git", "https://h.org/team");
    expect(matchLength(team, { ...team, path: "team/../other" })).toBeUndefined();
    expect(() => parseServiceUrl("git", "https://h.org/team/../other")).toThrow(
      userErrorWith("credential-invalid", "https://h.org/team/../other"),
    );
    expect(matches("git", "https://h.org/team/app", "https://h.org/team/app.git")).toBe(true);
  });

  it("matches the port, the scheme and the user that it is for", () => {
    expect(matches("git", "https://h.org", "https://h.org:443/a")).toBe(true);
    expect(matches("git", "https://h.org", "https://h.org:8443/a")).toBe(false);
    expect(matches("git", "h.org", "git@h.org:a")).toBe(true);
    expect(matches("git", "git@h.org", "https://h.org/a")).toBe(false);
    expect(matches("git", "git@h.org", "ssh://alice@h.org/a")).toBe(false);
    expect(matches("docker", "h.org:5000", "h.org")).toBe(false);
  });

  it("without a scheme never gives anything to plain HTTP", () => {
    expect(matches("http", "h.org", "https://h.org/a")).toBe(true);
    expect(matches("http", "h.org", "http://h.org/a")).toBe(false);
    expect(matches("http", "http://h.org", "http://h.org/a")).toBe(true);
  });

  it("with a password in it is refused and not shown", () => {
    for (const text of ["https://me:geheim@h.org/x", "me:geheim@h.org", "ssh://me:geheim@h.org"]) {
      for (const service of services) {
        expect(() => parseServiceUrl(service, text)).toThrow(userErrorWith("credential-invalid", service));
        expect(() => parseServiceUrl(service, text)).not.toThrow(/geheim/);
      }
    }
  });

  it("is read or refused with a reason, whatever it is", () => {
    fc.assert(
      fc.property(fc.constantFrom(...services), fc.oneof(fc.string(), fc.webUrl(), fc.domain()), (service, text) => {
        try {
          const url = parseServiceUrl(service, text);
          expect(matchLength(url, { ...url, scheme: url.scheme ?? (service === "docker" ? undefined : "https") })).toBe(
            url.path.length,
          );
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
        }
      }),
    );
  });

  it("matches what is below it and nothing that only begins alike", () => {
    const part = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), part, (parts, more) => {
        const path = parts.join("/");
        expect(matches("docker", `h.org/${path}`, `h.org/${path}/${more}`)).toBe(true);
        expect(matches("docker", `h.org/${path}`, `h.org/${path}${more}`)).toBe(false);
        expect(matches("docker", `h.org/${path}/${more}`, `h.org/${path}`)).toBe(false);
      }),
    );
  });
});
