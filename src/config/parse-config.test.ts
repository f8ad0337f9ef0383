import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import type { ErrorCode } from "../core/error-codes.ts";
import { exitStatusOf, type UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { type Config, configSchema } from "./config-schema.ts";
import { configJsonSchema } from "./json-schema.ts";
import { parseConfig } from "./parse-config.ts";
import type { Shape } from "./shape.ts";

const parse = (text: string): Config => parseConfig(text, "/home/me/config.yaml");

function errorOf(text: string): UserError {
  try {
    parse(text);
  } catch (error) {
    return error as UserError;
  }
  throw new Error(`accepted: ${text}`);
}

describe("config.yaml", () => {
  it("may be empty, and so may its sections", () => {
    for (const text of ["", "# later\n", "---\n", "null", "{}"]) expect(parse(text)).toEqual({});
    for (const name of Object.keys(configSchema.fields)) expect(parse(`${name}:\n`)).toEqual({});
    expect(parse("kubernetes:\n  contexts:\n")).toEqual({ kubernetes: {} });
  });

  it.each<[string, ErrorCode, string, string]>([
    ["registries: [", "file-invalid", "1:14", "neither YAML nor JSON"],
    ["a: 1\na: 2", "file-invalid", "2:1", "the same key twice"],
    ["registries: &a {}\nimages: *a", "file-invalid", "2:9", "an alias"],
    ["registries: !!js/x {}", "file-invalid", "1:20", "a tag"],
    ["registries:\n  5: {}", "file-invalid", "2:3", "a key that is not a text"],
    ["registries: {}\n---\nimages: {}", "file-invalid", "2:1", "followed by another"],
    ["- x", "field-invalid", "1:1", "the document is not a group"],
    ["just a text", "field-invalid", "1:1", "the document is not a group"],
    ["registrys:\n  a: {}", "field-invalid", "1:1", "did you mean registries?"],
    ["Registries: {}", "field-invalid", "1:1", "did you mean registries?"],
    ["other: {}", "field-invalid", "1:1", "Known here: registries, remoteCaches, "],
    ["registries: 5", "field-invalid", "1:13", "registries is not a group"],
    ["registries:\n  https://r.example.com: {}", "field-invalid", "2:3", "is not the name of a registry"],
    ["registries:\n  r: x", "field-invalid", "2:6", "registries.r is not a group"],
    ["registries:\n  r:\n    insecure: true", "field-invalid", "3:5", "Known here: plainHttp, ca, "],
    ["registries:\n  r:\n    plain-http: true", "field-invalid", "3:5", "did you mean plainHttp?"],
    ["registries:\n  r:\n    plainHttp: yes please", "field-invalid", "3:16", "registries.r.plainHttp is neither"],
    ["registries:\n  r:\n    ca: [a]", "field-invalid", "3:9", "registries.r.ca is not a text"],
    ["registries:\n  r:\n    ca: 5", "field-invalid", "3:9", "Put it in quotes"],
    ["registries:\n  r:\n    certificate: a.pem", "field-invalid", "3:5", "without key"],
    ["registries:\n  r:\n    key: a.pem", "field-invalid", "3:5", "without certificate"],
    ["registries:\n  r:\n    plainHttp: true\n    ca: a", "field-invalid", "3:5", "which is for TLS"],
    ["registries:\n  r:\n    tokenService: https://a", "field-invalid", "3:19", "is not a host"],
    ["registries:\n  r:\n    repositoryPrefix: /a", "field-invalid", "3:23", "a repository can begin with"],
    ["registries:\n  docker.io: {}\n  index.docker.io: {}", "field-invalid", "3:3", "is set twice"],
    ["remoteCaches:\n  grpcs://c: {}", "field-invalid", "2:3", "is not a host"],
    ["remoteCaches:\n  c: {key: k}", "field-invalid", "2:7", "remoteCaches.c.key is set without certificate"],
    ["remoteCaches:\n  c: {header: {}}", "field-invalid", "2:7", "did you mean headers?"],
    ["remoteCaches:\n  c: {headers: {x y: {env: V}}}", "field-invalid", "2:17", "is not the name of a header field"],
    ["remoteCaches:\n  c: {headers: {x: {}}}", "field-invalid", "2:17", "has none of file, env"],
    ["remoteCaches:\n  c: {headers: {x: {file: f, env: V}}}", "field-invalid", "2:17", "has more than one of"],
    ["kubernetes: {contexts: {a: {nodelocal: true}}}", "field-invalid", "1:29", "did you mean nodeLocal?"],
    ["images:\n  a/B: {}", "field-invalid", "2:3", "is neither a registry nor a repository"],
    ["images: {a.io: {require: {attestations: [{typ: a}]}}}", "field-invalid", "1:17", "signature is missing"],
    ["images: {a.io: {sign: {key: k}, require: {signature: {key: k}, attestations: k}}}", "field-invalid", "1:78", ""],
    ["services: {syncImage: a.io/b:v1}", "field-invalid", "1:23", "is not an image with a digest"],
    ["services: {models: {claim: A}}", "field-invalid", "1:28", "is not the name of a volume claim"],
    ["services: {instanceTypes: {}}", "field-invalid", "1:12", "Move it to the left margin"],
    ["instanceTypes: {a: {cpu: 1}}", "field-invalid", "1:17", "a.memory is missing"],
    ["instanceTypes: {a: {cpu: '1', memory: 1}}", "field-invalid", "1:26", "is not a number from"],
    ["instanceTypes: {a: {cpu: 1, memory: 1, gpu: 0.5}}", "field-invalid", "1:45", "is not a whole number from"],
    ["instanceTypes: {a: {cpu: 1, memory: much}}", "field-invalid", "1:37", "is not an amount of memory"],
    ["instanceTypes: {a: {cpu: 1, memory: 1, tolerations: {}}}", "field-invalid", "1:53", "is not a list"],
  ])("names file, line, column and field of the mistake in %j", (text, code, place, words) => {
    const error = errorOf(text);
    expect(error).toEqual(userErrorWith(code, `/home/me/config.yaml:${place}`));
    expect(error.message).toContain(words);
    expect(exitStatusOf(error)).toBe(2);
  });

  it("reports a misspelt required field once, and tells which was meant", () => {
    const { problem } = errorOf("instanceTypes: {a: {cpu: 1, memroy: 1GiB}}");
    expect(problem).toMatch(/^\S+: instanceTypes\.a\.memroy is not .* \(did you mean memory\?\)\.$/);
  });

  it("reports the mistakes of one kind all at once", () => {
    const { problem } = errorOf("a: !!x 1\na: *b\nb: &b 1\n1: 2\n");
    expect(problem.match(/config\.yaml:\d:\d/g)).toEqual([
      "config.yaml:1:8",
      "config.yaml:2:1",
      "config.yaml:2:4",
      "config.yaml:4:1",
    ]);
  });

  it("shows ten mistakes, and counts the others", () => {
    const { problem, remedy } = errorOf(`registries: {${Array.from({ length: 12 }, (_, index) => `r${index}: 5`)}}`);
    expect(problem).toContain("2 more follow.");
    expect(remedy).toContain("12 mistakes");
  });
});

/** A value of each shape, as YAML in one line; the mistake makes one of them wrong. */
function sample(shape: Shape, fields: readonly string[] = [], wrong?: string): string {
  const [name, ...rest] = fields;
  const at = (part: string, of: Shape) =>
    part === name ? (rest.length === 0 ? wrong : sample(of, rest, wrong)) : sample(of);
  switch (shape.is) {
    case "group": {
      const given = Object.entries(shape.fields).filter(
        ([each, { isRequired }]) =>
          isRequired || each === name || (shape.together?.includes(each) && shape.together.includes(name ?? "")),
      );
      const choice = shape.isChoice && name === undefined ? Object.entries(shape.fields).slice(0, 1) : given;
      const extra = name !== undefined && !Object.hasOwn(shape.fields, name) ? [`${name}: ${wrong}`] : [];
      return `{${[...choice.map(([each, field]) => `${each}: ${at(each, field)}`), ...extra].join(", ")}}`;
    }
    case "map":
      return `{"a.io": ${at("a.io", shape.of)}}`;
    case "list":
      return `[${at("0", shape.of)}]`;
    case "flag":
      return "true";
    case "text":
      return (
        shape.oneOf?.[0] ??
        ["a", `a.io/b@sha256:${"0".repeat(64)}`, "a.io/b"].find((text) => shape.rule?.holds(text) ?? true) ??
        ""
      );
    case "number":
    case "memory":
      return "1";
    default:
      return "a";
  }
}

/** The way to every field of a schema. */
function waysTo(shape: Shape, way: readonly string[] = []): (readonly string[])[] {
  const own = way.length === 0 ? [] : [way];
  if (shape.is === "map") return [...own, ...waysTo(shape.of, [...way, "a.io"])];
  if (shape.is === "list") return [...own, ...waysTo(shape.of, [...way, "0"])];
  if (shape.is !== "group") return own;
  return [...own, ...Object.entries(shape.fields).flatMap(([name, field]) => waysTo(field, [...way, name]))];
}

const shown = (way: readonly string[]) => way.join(".").replaceAll(".0", "[0]");

describe.each(waysTo(configSchema).map((way) => [shown(way), way] as const))("%s", (name, way) => {
  const whole = (fields: readonly string[], wrong: string) => sample(configSchema, fields, wrong);

  it("is read, and with a wrong value refused by its name, the value not shown", () => {
    for (const wrong of ["{other: s3cret}", "[[s3cret]]", "'s3cret 5\\n'", "1353.7"]) {
      const text = whole(way, wrong);
      const error = (() => {
        try {
          return void parse(text);
        } catch (caught) {
          return caught as UserError;
        }
      })();
      if (error === undefined) continue;
      expect(error, text).toEqual(userErrorWith("field-invalid"));
      expect(error.message, text).toContain(`: ${name.replace(/\[0\]$/, "[0]")}`);
      expect(error.message, text).not.toMatch(/s3cret|1353/);
    }
  });

  it("is the nearest name of a misspelt one, at its place", () => {
    const key = way.at(-1) ?? "";
    if (key === "0" || key === "a.io" || key.length < 3) return;
    const text = whole([...way.slice(0, -1), `${key}x`], "1");
    const error = errorOf(text);
    expect(error.problem, text).toContain(`is not a`);
    expect(error.problem, text).toContain(`(did you mean ${key}?)`);
    expect(error.culprit).toBe(`/home/me/config.yaml:1:${text.indexOf(`${key}x`) + 1}`);
  });
});

it("shows no secret that stands in the wrong place", () => {
  const token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
  for (const text of [
    `remoteCaches: {c: {headers: {x: ${token}}}}`,
    `remoteCaches: {c: {headers: {x: {${token}: }}}}`,
    `remoteCaches: {c: {headers: {"${token} ": {env: A}}}}`,
    `registries: {"https://user:${token}@r": {plainHtp: true}}`,
    `registries: {r: {tokenService: "https://user:${token}@r"}}`,
    `remoteCaches:\n  c:\n    headers:\n      x:\n        file: a\n       ${token}: b\n`,
    `${token}: `,
    `"${token}`,
    `a: *${token}`,
    `a: !${token} b`,
  ]) {
    expect(errorOf(text).message, text).not.toContain(token);
  }
});

describe("the JSON Schema of config.yaml", () => {
  const accepts = new Ajv2020().compile(configJsonSchema());

  it("accepts what the reader does, in every field", () => {
    for (const way of [[], ...waysTo(configSchema)]) {
      const text = sample(configSchema, way, way.length === 0 ? undefined : valid(way));
      parse(text);
      expect(accepts(parseYaml(text)), text).toBe(true);
    }
  });

  it("refuses names that are not known, fields that are missing, and values of another kind", () => {
    for (const text of [
      "registry: {}",
      "registries: {a.io: {plainHtp: true}}",
      "registries: {a.io: {certificate: a}}",
      "images: {a.io: {require: {}}}",
      "instanceTypes: {a: {cpu: 0, memory: 1}}",
      "remoteCaches: {a: {headers: {x: {file: a, env: b}}}}",
      "services: {models: 5}",
    ]) {
      expect(accepts(parseYaml(text)), text).toBe(false);
    }
  });
});

/** A right value of a field. */
function valid(way: readonly string[]): string {
  let shape: Shape = configSchema;
  for (const part of way) shape = shape.is === "group" ? (shape.fields[part] as Shape) : (shape as { of: Shape }).of;
  return sample(shape);
}
