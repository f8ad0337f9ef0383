import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { endpointOf, isLoopback } from "./endpoint.ts";
import { builtImages, parseImages } from "./image-uris.ts";

it.each([
  ["", []],
  ["a##r.example/x", [["a", "r.example/x"]]],
  [
    "a##r.example:80/x@sha256:1::b##[::1]:80/y",
    [
      ["a", "r.example:80/x@sha256:1"],
      ["b", "[::1]:80/y"],
    ],
  ],
  ["a##1::b##2::c##3", [..."abc"].map((tag, index) => [tag, String(index + 1)])],
])("%j names the images %j", (text, images) => {
  expect([...parseImages(text)]).toEqual(images);
});

it.each(["a", "a##", "##r", "a#b##r", "a:b##r", "a/b##r", "a@b##r", "a##r::"])("%j is no list of images", (text) => {
  const read = () => parseImages(text);
  if (text === "a##r::") expect([...read()]).toEqual([["a", "r::"]]);
  else expect(read).toThrow(userErrorWith("variable-invalid", builtImages));
});

it.each([
  ["LOCALHOST:5000", undefined, "localhost:5000", "http://localhost:5000/"],
  ["127.1:5000", undefined, "127.0.0.1:5000", "http://127.0.0.1:5000/"],
  ["localhost:5000", false, "localhost:5000", "https://localhost:5000/"],
  ["r.example", undefined, "r.example", "https://r.example/"],
  ["r.example", true, "r.example", "http://r.example/"],
])("the registry %s, over plain HTTP: %s, is %s at %s", (registry, plainHttp, name, base) => {
  expect(endpointOf(registry, plainHttp)).toEqual({ registry: name, base: new URL(base) });
});

it.each(["https://r.example", "r.example/x", ""])("%j is not the name of a registry", (registry) => {
  expect(() => endpointOf(registry)).toThrow(userErrorWith("reference-invalid", registry));
});

it("a URL leads to this machine by its host", () => {
  const urls = ["http://127.0.0.1:1/a", "https://localhost/", "http://[::1]/", "http://a.example/", "file:///a"];
  expect(urls.map((url) => isLoopback(new URL(url)))).toEqual([true, true, true, false, false]);
});
