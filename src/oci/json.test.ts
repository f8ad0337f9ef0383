import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { canonicalJson, type JsonNode, parseJson } from "./json.ts";

describe("parseJson", () => {
  it.each([201, 100_000])("refuses %s nested lists", (depth) => {
    const parse = () => parseJson("[".repeat(depth) + "]".repeat(depth), "a.json");
    expect(parse).toThrow(userErrorWith("image-invalid", "a.json"));
    expect(parse).toThrow("a.json: the document has more than 200 nested values, or 1000000 in all.");
  });

  it("accepts 200 nested lists, and a million values", () => {
    parseJson("[".repeat(200) + "]".repeat(200), "a.json");
    parseJson(`[${"0,".repeat(999_997)}0]`, "a.json");
    expect(() => parseJson(`[${"0,".repeat(999_999)}0]`, "a.json")).toThrow(userErrorWith("image-invalid", "a.json"));
  });

  it.each(["", "{", Buffer.from([0x22, 0xff, 0x22])])("refuses %j, which is no JSON in UTF-8", (content) => {
    expect(() => parseJson(content, "a.json")).toThrow(
      expect.objectContaining({ cause: expect.any(content === "" || content === "{" ? SyntaxError : TypeError) }),
    );
    expect(() => parseJson(content, "a.json")).toThrow(userErrorWith("image-invalid", "a.json"));
    expect(() => parseJson(content, "a.json")).toThrow("a.json is not JSON: ");
    const identity = { code: "content-lost" } as const;
    expect(() => parseJson(content, "a.json", "Ask.", identity)).toThrow(userErrorWith("content-lost", "a.json"));
    expect(() => parseJson(content, "a.json", "Ask.")).toThrow(expect.objectContaining({ remedy: "Ask." }));
  });
});

describe("a value with its path", () => {
  const value = { text: "a", list: ["a", 1, {}], nothing: null, size: 3, map: { a: "b", c: 1 } };
  const node = (remedy?: string) => parseJson(JSON.stringify(value), "a.json", remedy);
  it.each([
    ["text", "is missing", (node: JsonNode) => node.get("other").string(), "other"],
    ["text", "is not a text", (node: JsonNode) => node.get("size").string(), "size"],
    ["null", "is not an object", (node: JsonNode) => node.get("nothing").get("a"), "nothing"],
    ["list", "is not an object", (node: JsonNode) => node.get("list").object(), "list"],
    ["list", "is not a list", (node: JsonNode) => node.get("map").items(), "map"],
    ["list", "is not a text", (node: JsonNode) => node.get("list").strings(), "list[1]"],
    ["map", "is not a text", (node: JsonNode) => node.get("map").stringMap(), "map.c"],
    ["size", "is not a size in bytes", (node: JsonNode) => node.get("text").size(), "text"],
    ["digest", 'is not a sha256 or sha512 digest: "a"', (node: JsonNode) => node.get("text").digest(), "text"],
    ["path", "is not an object", (node: JsonNode) => node.get("list").items()[1]?.get("a"), "list[1]"],
    ["path", "is missing", (node: JsonNode) => node.get("list").items()[2]?.get("a").string(), "list[2].a"],
  ])("that is no %s %s", (_, problem, read, path) => {
    expect(() => read(node())).toThrow(userErrorWith("image-invalid", path));
    expect(() => read(node())).toThrow(expect.objectContaining({ problem: `a.json: ${path} ${problem}.` }));
    expect(() => read(node("Ask."))).toThrow(expect.objectContaining({ remedy: "Ask." }));
  });

  it("is read", () => {
    expect(node().get("text").string()).toBe("a");
    expect(parseJson('["a","b"]', "a.json").strings()).toEqual(["a", "b"]);
    expect(parseJson('{"a":"b"}', "a.json").stringMap()).toEqual({ a: "b" });
    expect(["nothing", "other", "size"].map((key) => node().optional(key)?.size())).toEqual([undefined, undefined, 3]);
    expect([0, Number.MAX_SAFE_INTEGER].map((size) => parseJson(String(size), "a.json").size()).at(0)).toBe(0);
    for (const size of ["-1", "1.5", "1e300", '"1"']) {
      expect(() => parseJson(size, "a.json").size()).toThrow(userErrorWith("image-invalid", "a.json"));
    }
  });
});

describe("canonicalJson", () => {
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  it("sorts keys at every depth, and nothing else", () => {
    const value = { b: [{ d: null, c: "x" }, 2, 1], a: undefined, aa: { z: true, y: "é" } };
    expect(decode(canonicalJson(value))).toBe('{"aa":{"y":"é","z":true},"b":[{"c":"x","d":null},2,1]}');
  });

  it("gives equal bytes for equal values, and is JSON of the value", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const bytes = canonicalJson(value);
        expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toEqual(bytes);
        expect(JSON.parse(decode(bytes))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
