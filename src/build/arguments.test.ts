import { describe, expect, it } from "vitest";
import { Arguments, texts } from "./arguments.ts";

describe("Arguments", () => {
  it("takes options and entries in any order", () => {
    const args = new Arguments(["--a=1=2", '["file","x","y"]', "--b=", "--a=\n"], ["a", "b", "c"]);
    expect(args.all("a")).toEqual(["1=2", "\n"]);
    expect(args.one("b")).toBe("");
    expect(args.optional("c")).toBeUndefined();
    expect(args.entries.map(({ kind, values }) => [kind, ...values])).toEqual([["file", "x", "y"]]);
  });

  it.each([
    ["--unknown=1", '"--unknown=1" is not an argument of this command.'],
    ["--a", '"--a" is not an argument of this command.'],
    ["a", '"a" is not an argument of this command.'],
    ["[", "[ is not an entry of this command."],
    ["[1]", "[1] is not an entry of this command."],
    ['["file"', '["file" is not an entry of this command.'],
  ])("refuses %s", (arg, message) => {
    expect(() => new Arguments([arg], ["a"])).toThrow(message);
  });

  it("names an option that is missing or given twice", () => {
    const args = new Arguments(["--a=1", "--a=2"], ["a", "b"]);
    expect(() => args.one("a")).toThrow("--a is given 2 times.");
    expect(() => args.one("b")).toThrow("--b is missing.");
  });

  it("says what an entry must have", () => {
    const [entry] = new Arguments(['["file","x",1]'], []).entries;
    expect(() => texts(entry as never, ["PATH", "SOURCE"])).toThrow('Write ["file", "PATH", "SOURCE"].');
  });
});
