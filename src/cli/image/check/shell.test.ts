import { expect, it } from "vitest";
import { reachableCommands } from "./shell.ts";

const commands = (script: string) =>
  reachableCommands(script).map(({ line, words }) => `${line}: ${words.map(({ value }) => value).join(" ")}`);

it.each<[string, string, string[]]>([
  ["divides at operators", "a 1; b && c || d | e & f", ["1: a 1", "1: b", "1: c", "1: d", "1: e", "1: f"]],
  ["knows quotes", `a "b; c" 'd && e' f\\;g`, ["1: a b; c d && e f;g"]],
  ["continues lines", "a \\\n  b\nc", ["1: a b", "3: c"]],
  ["continues words", "ab\\\ncd\ne", ["1: abcd", "3: e"]],
  ["leaves out comments", "#!/bin/sh\na # b\nc#d", ["2: a", "3: c#d"]],
  ["leaves out here-documents", "cat <<EOF\nb\nEOF\nc <<-'E F'\n\tx\n\tE F\nd", ["1: cat", "4: c", "7: d"]],
  ["takes substitutions for words", 'a "$(b; c "$d")" `e; f` $(g)', ["1: a $(b; c $d) `e; f` $(g)"]],
  ["leaves out redirections", "a 2>&1 >/dev/null <b c", ["1: a c"]],
  ["skips what a false condition guards", "if false; then a; else b; fi; c", ["1: false", "1: b", "1: c"]],
  ["skips what a true condition excludes", "if true; then a; else b; fi", ["1: true", "1: a"]],
  ["does not judge other conditions", "if test x; then a; elif y; then b; fi", ["1: test x", "1: a", "1: y", "1: b"]],
  ["skips loops that never run", "while false; do a; done; until true; do b; done", ["1: false", "1: true"]],
  ["skips lists that end early", "false && a; true || b; true && c", ["1: false", "1: true", "1: true", "1: c"]],
  ["ends with exit", "a\nexit 0\nb", ["1: a", "2: exit 0"]],
  ["ends with exec", "exec a\nb", ["1: exec a"]],
  ["goes on after redirections by exec", "exec 2>/dev/null\nb", ["1: exec", "2: b"]],
  ["goes on after an exit that may not happen", "a || exit 1\nb", ["1: a", "1: exit 1", "2: b"]],
  ["goes on after an exit in a branch", "if a; then exit 1; fi\nb", ["1: a", "1: exit 1", "2: b"]],
  ["takes functions for called", "main() { exec a; }\nmain", ["1: exec a", "2: main"]],
  ["knows cases", 'case "$1" in\n  a|b) c ;;\n  *) exec d ;;\nesac\ne', ["2: c", "3: exec d", "5: e"]],
  ["knows loops", 'for a in b c; do d "$a"; done', ["1: d $a"]],
])("a script's reader %s", (_, script, expected) => {
  expect(commands(script)).toEqual(expected);
});

it("reads any text, in time", () => {
  for (const script of [
    "'",
    '"',
    "\\",
    "$(",
    "((",
    "))",
    "fi",
    "done;}",
    "<<",
    "a <<EOF",
    "`",
    "&&;;",
    `"${"$(a)".repeat(5000)}`,
    "\u0000",
    "",
  ]) {
    expect(Array.isArray(reachableCommands(script))).toBe(true);
  }
});
