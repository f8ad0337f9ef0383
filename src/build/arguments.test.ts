import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { Arguments, texts } from "./arguments.ts";

describe("Arguments", () => {
  it("takes options and entries in any order", () => {
    const args = new Arguments(["--a=1=2", '["file","x","y"]', "--b=", "--a=\n"], ["a", "b", "c"], { folder: "" });
    expect(args.all("a")).toEqual(["1=2", "\n"]);
    expect(args.one("b")).toBe("");
    expect(args.optional("c")).toBeUndefined();
    expect(args.entries.map(({ kind, values }) => [kind, ...values])).toEqual([["file", "x", "y"]]);
  });

  it.each(["--unknown=1", "--a", "a", "[", "[1]", '["file"'])("refuses %s", (arg) => {
    expect(() => new Arguments([arg], ["a"], { folder: "" })).toThrow(userErrorWith("command-line-invalid", arg));
  });

  it("names an option that is missing or given twice", () => {
    const args = new Arguments(["--a=1", "--a=2"], ["a", "b"], { folder: "" });
    expect(() => args.one("a")).toThrow(userErrorWith("command-line-invalid", "--a"));
    expect(() => args.one("b")).toThrow(userErrorWith("command-line-invalid", "--b"));
  });

  it("says what an entry must have", () => {
    const [entry] = new Arguments(['["file","x",1]'], [], { folder: "" }).entries;
    expect(() => texts(entry as never, ["PATH", "SOURCE"])).toThrow('Write ["file", "PATH", "SOURCE"].');
  });
});
