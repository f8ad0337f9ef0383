import { homedir } from "node:os";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { parseCacheAddress } from "./address.ts";

describe("the address of a cache", () => {
  it.each([
    ["grpc://cache:9092", { kind: "grpc", host: "cache:9092", isTls: false, target: "dns:cache:9092", instance: "" }],
    ["grpc://cache", { kind: "grpc", host: "cache", isTls: false, target: "dns:cache:80", instance: "" }],
    [
      "grpcs://cache.example.com/team/a/",
      { kind: "grpc", host: "cache.example.com", isTls: true, target: "dns:cache.example.com:443", instance: "team/a" },
    ],
    ["grpcs://[::1]:443", { kind: "grpc", host: "[::1]:443", isTls: true, target: "dns:[::1]:443", instance: "" }],
    [
      "unix:///run/cache?instance=a/b",
      { kind: "grpc", host: "unix:/run/cache", isTls: false, target: "unix:/run/cache", instance: "a/b" },
    ],
    [
      "unix:/run/cache",
      { kind: "grpc", host: "unix:/run/cache", isTls: false, target: "unix:/run/cache", instance: "" },
    ],
    ["http://cache:8080", { kind: "http", host: "cache:8080", base: new URL("http://cache:8080/") }],
    ["https://cache/a/b/", { kind: "http", host: "cache", base: new URL("https://cache/a/b/") }],
    ["/var/cache", { kind: "disk", host: "/var/cache", folder: "/var/cache" }],
    ["~/c", { kind: "disk", host: "~/c", folder: `${homedir()}/c` }],
  ])("%s", (text, address) => {
    expect(parseCacheAddress(text)).toEqual(address);
  });

  it.each(["", "cache", "ftp://cache", "grpc://", "https://user:s3cret@cache", "grpcs://s3cret@cache", "grpc://a b"])(
    "refuses %j and repeats none of it",
    (text) => {
      const parse = () => parseCacheAddress(text);
      expect(parse).toThrow(userErrorWith("target-invalid", "remote_cache"));
      expect(parse).not.toThrow(/s3cret/);
    },
  );
});
