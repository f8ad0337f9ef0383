import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makePages, referenceFolder } from "./pages.ts";
import { messagesOf, parseTextProto, textOf } from "./text-proto.ts";

const pages = await makePages(process.env["TEST_SRCDIR"] ?? "");

describe("the reference", () => {
  it("has the pages that are generated, and no other", () => {
    expect(readdirSync(referenceFolder).sort(), "tools/bazel run //docs:update").toEqual([...pages.keys()].sort());
  });

  it.each([...pages.keys()])("is current: %s", (name) => {
    const written = readFileSync(join(referenceFolder, name), "utf8");
    expect(written, "tools/bazel run //docs:update brings it up to date").toBe(pages.get(name));
  });

  it("says something of every symbol, attribute, argument and field", () => {
    const silent = [...pages].flatMap(([name, text]) => [
      ...[...text.matchAll(/^\| `\S+` .*\|\s+\|$/gm)].map(([line]) => `${name}: ${line}`),
      ...[...text.matchAll(/^## .+\n+(?:\*.+\*\n+)?(?=##|\||$(?![\s\S]))/gm)].map(([line]) => `${name}: ${line}`),
    ]);
    expect(silent).toEqual([]);
  });
});

describe("the reader of protobuf's text format", () => {
  it("reads fields, messages, and text that Bazel encoded once or twice", () => {
    const message = parseTextProto(
      String.raw`a { b: "say \"it\"\n" b: FLAG } e: true c: "\342\200\246" d: "\303\242\302\200\302\246"`,
    );
    const [a] = messagesOf(message, "a");
    expect(a?.get("b")).toEqual(['say "it"\n', "FLAG"]);
    expect(["c", "d", "e"].map((name) => textOf(message, name))).toEqual(["…", "…", "true"]);
  });

  it.each(["a: ", "a {", "a }", "{ }", 'a: "open'])("refuses %s", (text) => {
    expect(() => parseTextProto(text)).toThrow(/^Not a/);
  });
});
