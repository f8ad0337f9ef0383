import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { type Digest, sha256 } from "./digest.ts";
import { formatReference, isRepository, isTag, parseReference, referenceIn } from "./reference.ts";
import { dockerHub, isRegistry, normalizeRegistry } from "./registry-host.ts";

/** Texts made by the grammar of the distribution specification (and, for hosts, of the reference implementation). */
const characters = (allowed: string, options: { minLength?: number; maxLength?: number } = {}) =>
  fc.string({ unit: fc.constantFrom(...allowed), ...options });
const lower = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";
const alphanumeric = characters(lower + digits, { minLength: 1, maxLength: 6 });
const separator = fc.constantFrom(".", "_", "__", "-", "--", "---");
const component = fc
  .tuple(alphanumeric, fc.array(fc.tuple(separator, alphanumeric), { maxLength: 3 }))
  .map(([first, rest]) => first + rest.flat().join(""));
const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const tag = fc
  .tuple(
    characters(`${lower}${lower.toUpperCase()}${digits}_`, { minLength: 1, maxLength: 1 }),
    characters(`${lower}${lower.toUpperCase()}${digits}_.-`, { maxLength: 127 }),
  )
  .map((parts) => parts.join(""));
const port = fc.integer({ min: 1, max: 65535 });
const dottedHost = fc.array(alphanumeric, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
const host = fc.oneof(
  dottedHost,
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constant("localhost"),
);
const registry = fc
  .oneof(
    host,
    fc.tuple(host, port).map(([name, number]) => `${name}:${number}`),
  )
  // A name whose last part is a number is no host unless it is an address.
  .filter(isRegistry)
  .map(normalizeRegistry);
const digest = fc.uint8Array({ maxLength: 8 }).map((bytes): Digest => sha256(bytes));
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

describe("parseReference", () => {
  it("reads what the grammar makes, and writes it back", () => {
    fc.assert(
      fc.property(registry, repository, optional(tag), optional(digest), (host, path, tag, digest) => {
        const text = `${host}/${path}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
        const reference = parseReference(text);
        expect(reference).toEqual({
          registry: host,
          repository: path,
          ...(tag ? { tag } : {}),
          ...(digest ? { digest } : {}),
        });
        expect(formatReference(reference)).toBe(text);
      }),
    );
  });

  it("never takes a text that is made of parts it refuses, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), characters(`${lower}A0.:/@_-[]`, { maxLength: 30 })), (text) => {
        let reference: ReturnType<typeof parseReference>;
        try {
          reference = parseReference(text);
        } catch (error) {
          expect(error).toEqual(userErrorWith("reference-invalid", text));
          return;
        }
        expect(isRegistry(reference.registry)).toBe(true);
        expect(isRepository(reference.repository)).toBe(true);
        expect(reference.tag === undefined || isTag(reference.tag)).toBe(true);
        expect(parseReference(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  it.each([
    ["ubuntu", dockerHub, "library/ubuntu", undefined],
    ["ubuntu:24.04", dockerHub, "library/ubuntu", "24.04"],
    ["docker.io/ubuntu", dockerHub, "library/ubuntu", undefined],
    ["index.docker.io/library/ubuntu", dockerHub, "library/ubuntu", undefined],
    ["registry-1.docker.io/library/ubuntu", dockerHub, "library/ubuntu", undefined],
    ["team/app", dockerHub, "team/app", undefined],
    ["localhost/app", "localhost", "app", undefined],
    ["localhost:5000", dockerHub, "library/localhost", "5000"],
    ["localhost:5000/app:v1", "localhost:5000", "app", "v1"],
    ["[::1]:5000/a/b", "[::1]:5000", "a/b", undefined],
    ["MyHost/a", "myhost:443", "a", undefined],
    ["gcr.io/a/b/c:x", "gcr.io", "a/b/c", "x"],
  ])("reads %s", (text, registry, repository, tag) => {
    expect(parseReference(text)).toStrictEqual({ registry, repository, ...(tag ? { tag } : {}) });
    expect(referenceIn(text)).toEqual(parseReference(text));
  });

  it("writes Docker Hub as engines call it", () => {
    expect(formatReference(parseReference("ubuntu:1"))).toBe("docker.io/library/ubuntu:1");
  });

  it("takes a repository of 255 letters", () => {
    expect(parseReference(`a.b/${"x".repeat(255)}`).repository).toHaveLength(255);
  });

  it.each([
    ["", "it is empty"],
    ["https://a.b/c", "it starts with https://"],
    ["1a://b", '"1a:" is not a host'],
    ["@x", '"x" is not a digest'],
    [`@${sha256("")}`, '"" is not a repository name'],
    [":-", '"-" is not a tag'],
    [":v1", '"" is not a repository name'],
    ["a.b/:v1", '"" is not a repository name'],
    ["/a", '"/a" is not a repository name'],
    ["Ubuntu", '"Ubuntu" is not a repository name'],
    ["localhost:99999/a", '"localhost:99999" is not a host'],
    ["[::zz]:80/a", "is not a host"],
    ["a//b", '"a//b" is not a repository name'],
    ["a.b/c:", '"" is not a tag'],
    ["a.b/c:-x", '"-x" is not a tag'],
    ["a.b/c@sha256:12", '"sha256:12" is not a digest'],
    [`a.b/${"x".repeat(256)}`, "is not a repository name"],
    ["a.b/../c", "is not a repository name"],
  ])("refuses %j, naming the wrong part", (text, problem) => {
    expect(() => parseReference(text)).toThrow(problem);
    expect(() => parseReference(text)).toThrow(userErrorWith("reference-invalid", text));
    expect(referenceIn(text)).toBeUndefined();
  });
});
