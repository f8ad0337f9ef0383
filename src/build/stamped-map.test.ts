import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { parseMap, stampedMap } from "./stamped-map.ts";

const revision = "org.opencontainers.image.revision";
const created = "org.opencontainers.image.created";
const status = new Map([
  ["STABLE_GIT_COMMIT", "0a1b"],
  ["BUILD_TIMESTAMP", "1700000000"],
]);

describe("stampedMap", () => {
  it("puts the build status into values, and gives a time the form of the specification", () => {
    const map = { [revision]: "git-{STABLE_GIT_COMMIT}", [created]: "{BUILD_TIMESTAMP}", built: "{BUILD_TIMESTAMP}" };
    expect(stampedMap("labels", map, status)).toEqual({
      [revision]: "git-0a1b",
      [created]: "2023-11-14T22:13:20Z",
      built: "1700000000",
    });
  });

  it("without stamping leaves out what has a variable, and changes nothing else", () => {
    const map = { [revision]: "{STABLE_GIT_COMMIT}", rule: "Path(`/{id}`)", json: '{"a":{}}', [created]: "2020-01-01" };
    const { [revision]: _, ...rest } = map;
    expect(stampedMap("labels", map, undefined)).toEqual(rest);
    expect(stampedMap("labels", rest, status)).toEqual(rest);
  });

  it("names the field and the variable that the build status lacks", () => {
    const stamp = () => stampedMap("annotations", { [revision]: "{STABLE_COMMIT}" }, status);
    expect(stamp).toThrow(userErrorWith("target-invalid", `annotations["${revision}"]`));
    expect(stamp).toThrow(/"STABLE_COMMIT"\.\n.*STABLE_GIT_COMMIT/);
  });
});

describe("parseMap", () => {
  it("reads KEY=VALUE in each line", () => {
    expect(parseMap("# comment\na=1\n\n b = x=y \r\nempty=\n", "labels")).toEqual({ a: "1", b: "x=y", empty: "" });
  });

  it.each(["a=1\nno value", "a=1\n=x"])("names the line of %j", (text) => {
    expect(() => parseMap(text, "pkg/labels")).toThrow(userErrorWith("file-invalid", "pkg/labels:2"));
  });
});
