import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalName, canonicalRegistry, dockerHub, isLoopbackHost, isRegistry, ruleHost } from "./registry-host.ts";

/** A text with letters of either case. */
const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => [...text].map((letter, index) => (upper[index] ? letter.toUpperCase() : letter)).join(""));
const port = fc.integer({ min: 1, max: 65535 });

describe("a registry's name", () => {
  it.each([
    ["registry.example.com", ["REGISTRY.Example.com", "registry.example.com:443", "registry.example.com.:0443"]],
    ["registry.example.com:80", ["registry.example.com.:80"]],
    ["localhost:15050", ["LOCALHOST:15050", "localhost.:15050"]],
    ["localhost", ["localhost:80"]],
    ["registry:443", ["Registry", "registry.", "REGISTRY.:443"]],
    ["localhost:443", ["LocalHost:0443"]],
    ["127.0.0.1:5000", ["127.1:5000", "0x7f.1:5000", "2130706433:5000", "[::ffff:127.0.0.1]:5000", "0177.0.0.01:5000"]],
    ["1.2.0.3", ["[::ffff:1.2.0.3]", "1.2.0.3:443"]],
    ["a.example:1", []],
    ["a.example:65535", []],
    [`${"a.".repeat(126)}b`, []],
    ["[::1]:5000", ["[0:0::0:1]:5000", "[0000:0000:0000:0000:0000:0000:0000:0001]:5000"]],
    ["[2001:db8::a]", ["[2001:DB8:0:0::A]:443"]],
    [
      "xn--bcher-kva.example",
      ["bücher.example", "BÜCHER.example", "XN--BCHER-KVA.example:443", "bu\u0308cher.example"],
    ],
    [dockerHub, ["docker.io", "Docker.IO.", "index.docker.io:443", "REGISTRY-1.docker.io"]],
  ])("has the one form %s", (canonical, spellings) => {
    for (const text of [canonical, ...spellings]) expect([text, canonicalRegistry(text)]).toEqual([text, canonical]);
  });

  it.each([
    ...[
      "",
      ":5000",
      "a b",
      "a\tb",
      "a\n",
      "%6cocalhost",
      "a%2fb",
      "user@host",
      "host/path",
      "a?b",
      "a#b",
      "a\\b",
      "a..b",
    ],
    ...["host:", "host:0", "host:65536", "host:http", "[::1", "::1", "[fe80::1%25eth0]", "[::1]x", "999.1.1.1", "a.1"],
    ...[
      "-a.example",
      "a_b.example",
      "\u200b",
      "a\u202eb",
      "1.2.3.4.5",
      `${"a.".repeat(130)}b`,
      `${"a.".repeat(126)}bb`,
    ],
  ])("is refused if it is no host: %j", (text) => {
    expect(canonicalRegistry(text)).toBeUndefined();
    expect(isRegistry(text)).toBe(false);
  });

  it("is a whole address in brackets", () => {
    expect(["[::1", "[::1]"].map(canonicalName)).toEqual([undefined, "[::1]"]);
  });

  it("is of this machine if that is certain", () => {
    for (const name of ["localhost", "[::1]", "127.0.0.1", "127.9.9.9"])
      expect([name, isLoopbackHost(name)]).toEqual([name, true]);
    for (const name of ["127.example.com", "10.0.0.1", "a.localhost", "[::2]", "0.0.0.0"]) {
      expect([name, isLoopbackHost(name)]).toEqual([name, false]);
    }
  });

  it("stays what it is once it is canonical, whatever it was", () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.webAuthority(), fc.domain(), fc.ipV6());
    fc.assert(
      fc.property(text, (name) => {
        const canonical = canonicalRegistry(name);
        if (canonical === undefined) return;
        expect(canonicalRegistry(canonical)).toBe(canonical);
        expect(canonical).toMatch(/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::\d+)?$/);
        expect(ruleHost(ruleHost(name))).toBe(ruleHost(name));
      }),
    );
  });

  it("leads to the server that the text as a URL leads to", () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4Extended(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    fc.assert(
      fc.property(host.chain(anyCase), port, (name, number) => {
        const canonical = canonicalRegistry(`${name}:${number}`);
        // fast-check draws IPv6 with an IPv4 part, which has another form here.
        if (canonical === undefined || /\[.*\.|ffff/i.test(name)) return;
        const scheme = /^(127\.|localhost|\[::1\])/.test(canonical) ? "http" : "https";
        expect(new URL(`${scheme}://${canonical}`).host).toBe(new URL(`${scheme}://${name}:${number}`).host);
      }),
    );
  });

  it("of another server is another one, so that credentials stay with theirs", () => {
    const names = ["localhost", "127.0.0.1", "127.0.0.2", "[::1]", "localhost:443", "a.localhost", "10.0.0.1"];
    expect(new Set(names.map(canonicalRegistry)).size).toBe(names.length);
    fc.assert(
      fc.property(fc.domain(), fc.domain(), (one, other) => {
        if (one.toLowerCase() !== other.toLowerCase())
          expect(canonicalRegistry(one)).not.toBe(canonicalRegistry(other));
      }),
    );
  });
});

describe("the name in rules", () => {
  it("is one for all addresses of this machine", () => {
    const here = [
      "localhost",
      "LOCALHOST.",
      "127.0.0.1",
      "127.1",
      "0x7f.1",
      "127.8.8.8",
      "[::1]",
      "[::ffff:127.0.0.1]",
    ];
    for (const name of [...here, "0.0.0.0", "0", "[::]", "registry.localhost"]) {
      expect([name, ruleHost(`${name}:15050`)]).toEqual([name, "localhost:15050"]);
    }
    expect(ruleHost("localhost:5000")).not.toBe(ruleHost("localhost:5001"));
    expect(ruleHost("localhost.example.com")).toBe("localhost.example.com");
  });

  it("is one for the usual ports", () => {
    for (const port of ["", ":443", ":80"])
      expect(ruleHost(`registry.example.com${port}`)).toBe("registry.example.com");
    expect(ruleHost("registry.example.com:5000")).toBe("registry.example.com:5000");
    expect(["registry", "localhost:443", "localhost:80"].map(ruleHost)).toEqual(["registry", "localhost", "localhost"]);
    expect(ruleHost("no registry:80")).toBe("no registry");
  });
});
