import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Challenge, parseChallenges } from "./challenge.ts";

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
const token = fc.string({ unit: fc.constantFrom(...tokenCharacters), minLength: 1, maxLength: 12 });
/** RFC 9110's quoted-string can hold these, some of them escaped. */
const quotable = fc.string({ unit: fc.constantFrom(...'abc,= "\\/:?&\t{}'), maxLength: 20 });
const blanks = fc.constantFrom("", " ", "\t", "  ");

function challengeText(challenge: Challenge & { token68?: string }, quote: boolean, space: string): string {
  const parameters = Object.entries(challenge.parameters).map(([name, value]) => {
    const bare = value !== "" && !quote && [...value].every((character) => tokenCharacters.includes(character));
    return `${name}${space}=${space}${bare ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
  });
  return `${challenge.scheme} ${challenge.token68 ?? parameters.join(`${space},${space}`)}`;
}

const withParameters = fc.record({
  scheme: token,
  parameters: fc.dictionary(token, fc.oneof(token, quotable), { minKeys: 1, maxKeys: 4, noNullPrototype: false }),
});
const withToken68 = fc.record({
  scheme: token,
  parameters: fc.constant({}),
  token68: fc
    .tuple(fc.stringMatching(/^[A-Za-z0-9\-._~+/]{1,20}$/), fc.constantFrom("", "=", "=="))
    .map((parts) => parts.join("")),
});

describe("parseChallenges", () => {
  it("reads every list of challenges that the grammar makes", () => {
    const list = fc.array(fc.oneof(withParameters, withToken68), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(list, fc.boolean(), blanks, (challenges, quote, space) => {
        const text = challenges.map((each) => challengeText(each, quote, space)).join(`${space}, ${space}`);
        const plain = (list: Challenge[]) => list.map(({ scheme, parameters }) => ({ scheme, ...parameters }));
        expect(plain(parseChallenges(text))).toEqual(plain(challenges));
      }),
    );
  });

  it("ends on any text, with challenges that have a scheme", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'Basic realm="x",\\ =') })), (text) => {
        for (const challenge of parseChallenges(text)) expect(challenge.scheme).not.toBe("");
      }),
    );
  });

  it.each([
    [
      'Bearer realm="https://auth.docker.io/token",service="docker.io",scope="repository:a/b:pull,push"',
      ["bearer realm=https://auth.docker.io/token service=docker.io scope=repository:a/b:pull,push"],
    ],
    ["Negotiate, Basic realm=x", ["negotiate", "basic realm=x"]],
    ['BASIC Realm="a\\"b"', ['basic realm=a"b']],
    [', ,Basic realm="x",,Bearer realm="y"', ["basic realm=x", "bearer realm=y"]],
    ["Basic", ["basic"]],
    ["Bearer a=1, a=2", ["bearer a=1"]],
    ["Bearer __proto__=x", ["bearer __proto__=x"]],
    ['Basic realm="x", Bearer realm="not closed', ["basic realm=x"]],
    [
      "Bearer realm=https://a.example/token?x=y,service=s, Basic realm=z",
      ["bearer realm=https://a.example/token?x=y service=s", "basic realm=z"],
    ],
    ["", []],
    ["=", []],
  ])("reads %j", (text, expected) => {
    const shown = ({ scheme, parameters }: Challenge) =>
      [scheme, ...Object.entries(parameters).map((each) => each.join("="))].join(" ");
    expect(parseChallenges(text).map(shown)).toEqual(expected);
  });
});
