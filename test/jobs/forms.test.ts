import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Deployment, type JobCode, type JobInterpreter, SLIPWAY_INTERPRETER } from "slipway";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { parseDeployment } from "../../src/jobs/read.ts";
import type { deploymentFields } from "../../src/jobs/schema.ts";
import { jobJsonSchema } from "../../src/jobs/schema.ts";

/** The jobs of forms.bzl as YAML has them. */
const yaml = {
  interpreters: {
    tag: "ContainerAtTag: {repository: registry.example.com/team/python, tag: '3.12'}",
    latest: "ContainerAtTag: {repository: registry.example.com/team/python}",
    digest: `ContainerAtDigest: {repository: registry.example.com/team/python, digest: "sha256:${"7".repeat(64)}"}`,
    target: "ImageTarget: {target: //test/jobs:program}",
    poetry: "PoetryProject: {path: project, python: '3.12'}",
    conda: "CondaEnv: {}",
    pip: "PipRequirements: {path: reqs/main.txt}",
    machine: "ServerAvailableInterpreter: {interpreter_path: /usr/bin/python3}",
    own: "ServerAvailableInterpreter: {interpreter_path: SLIPWAY_INTERPRETER}",
  },
  code: {
    branch: "GitRepoBranch: {repo_url: https://git.example.com/team/report, branch: next, path_to_source: src}",
    main: "git_repo: {repo_url: git@git.example.com:team/report}",
    commit: `git_repo: {repo_url: https://git.example.com/team/report, commit: ${"d".repeat(40)}}`,
    folders: "ServerAvailableFolder: {code_paths: [code, lib]}",
    none: "",
  },
} as const;

/** The same in TypeScript. */
const typed: { interpreters: Record<string, JobInterpreter>; code: Record<string, JobCode | undefined> } = {
  interpreters: {
    tag: { ContainerAtTag: { repository: "registry.example.com/team/python", tag: "3.12" } },
    latest: { ContainerAtTag: { repository: "registry.example.com/team/python" } },
    digest: {
      ContainerAtDigest: { repository: "registry.example.com/team/python", digest: `sha256:${"7".repeat(64)}` },
    },
    target: { ImageTarget: { target: "//test/jobs:program" } },
    poetry: { PoetryProject: { path: "project", python: "3.12" } },
    conda: { CondaEnv: {} },
    pip: { PipRequirements: { path: "reqs/main.txt" } },
    machine: { ServerAvailableInterpreter: { interpreter_path: "/usr/bin/python3" } },
    own: { ServerAvailableInterpreter: { interpreter_path: SLIPWAY_INTERPRETER } },
  },
  code: {
    branch: {
      GitRepoBranch: { repo_url: "https://git.example.com/team/report", branch: "next", path_to_source: "src" },
    },
    main: { GitRepoBranch: { repo_url: "git@git.example.com:team/report" } },
    commit: { GitRepoCommit: { repo_url: "https://git.example.com/team/report", commit: "d".repeat(40) } },
    folders: { ServerAvailableFolder: { code_paths: ["code", "lib"] } },
    none: undefined,
  },
};

const pairs = [
  ...(["tag_branch", "latest_main", "digest_commit", "target_none", "poetry_folders"] as const),
  ...(["conda_folders", "pip_main", "machine_folders", "own_none"] as const),
];

const fromYaml: Record<string, string> = {
  everything: `
interpreter: {${yaml.interpreters.tag}}
code: {${yaml.code.folders}}
function: report:total
arguments: [1, 2.5, x, null, true, {a: [[]]}]
environment: {LEVEL: debug}
resources: {cpu: 0.5, memory: 1.5GiB, gpu: 1}
network: host
platform: linux/arm64
time_limit: 1h30m
retries: 2
`,
};
const fromTypeScript: Record<string, Deployment> = {
  everything: {
    interpreter: typed.interpreters["tag"] as JobInterpreter,
    code: typed.code["folders"] as JobCode,
    function: "report:total",
    arguments: [1, 2.5, "x", null, true, { a: [[]] }],
    environment: { LEVEL: "debug" },
    resources: { cpu: 0.5, memory: "1.5GiB", gpu: 1 },
    network: "host",
    platform: "linux/arm64",
    time_limit: "1h30m",
    retries: 2,
  },
};
for (const pair of pairs) {
  const [interpreter, code] = pair.split("_") as [keyof typeof yaml.interpreters, keyof typeof yaml.code];
  const given = typed.code[code];
  const written = given ? `code:\n  ${yaml.code[code]}\n` : "";
  fromYaml[pair] = `interpreter:\n  ${yaml.interpreters[interpreter]}\n${written}command: [python, -m, report]\n`;
  fromTypeScript[pair] = {
    interpreter: typed.interpreters[interpreter] as JobInterpreter,
    ...(given ? { code: given } : {}),
    command: ["python", "-m", "report"],
  };
}

const { documents: python, fields: pythonFields } = JSON.parse(
  execFileSync("python3", [join(import.meta.dirname, "forms.py"), ...pairs], {
    encoding: "utf8",
    env: { ...process.env, PYTHONPATH: join(import.meta.dirname, "../../python") },
  }),
) as { documents: Record<string, unknown>; fields: Record<string, Record<string, unknown>> };

/** A part of a JSON Schema. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

/** The fields of an object as forms.py prints those of a data class: `required`, or the default. */
function fieldsOf({ properties = {}, required = [] }: Schema): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [
      name,
      required.includes(name) ? "required" : { default: field.default ?? null },
    ]),
  );
}

/** The ways to all fields of a type, each with its type: `code?.GitRepoBranch.branch?.${string}`. */
type Ways<T> = T extends string | number
  ? `${T}`
  : T extends readonly unknown[]
    ? "list"
    : {
        [K in keyof T & string]-?: `${K}${object extends Pick<T, K> ? "?" : ""}.${Ways<NonNullable<T[K]>>}`;
      }[keyof T & string];
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Document = z.input<ReturnType<typeof deploymentFields>>;
/** Programs use GitRepoBranch and GitRepoCommit in place of `git_repo`. */
type CodeDocument = Exclude<NonNullable<Document["code"]>, { git_repo: unknown }>;

describe("the schema of a job", () => {
  const { properties: kinds = {}, ...schema } = jobJsonSchema() as Schema;

  it("has the fields, types and optional fields of the TypeScript types", () => {
    // The type check fails if not.
    const same: Same<Ways<Omit<Document, "code">>, Ways<Omit<Deployment, "code">>> = true;
    const sameCode: Same<Ways<CodeDocument>, Ways<JobCode>> = true;
    expect(same && sameCode).toBe(true);
  });

  it("has the fields and defaults of the Python classes", () => {
    const { interpreter = {}, code = {} } = kinds;
    // Or null.
    const { git_repo: _, ...codes } = code.anyOf?.[0]?.properties ?? {};
    const expected = Object.entries({ ...interpreter.properties, ...codes }).map(([kind, fields]) => [
      kind,
      fieldsOf(fields),
    ]);
    expect(pythonFields).toEqual({
      ...Object.fromEntries(expected),
      Deployment: fieldsOf({ properties: kinds, ...schema }),
    });
  });
});

describe("a job", () => {
  it("has every interpreter and every kind of code", () => {
    const parts = pairs.map((pair) => pair.split("_"));
    expect(new Set(parts.flat())).toEqual(new Set(Object.values(yaml).flatMap((kinds) => Object.keys(kinds))));
    const kinds = [...Object.values(typed.interpreters), ...Object.values(typed.code)].flatMap((kind) =>
      Object.keys(kind ?? {}),
    );
    expect(new Set(["Deployment", ...kinds])).toEqual(new Set(Object.keys(pythonFields)));
  });

  it.each(Object.keys(fromYaml))("is the same in YAML, TypeScript, Python and a BUILD file: %s", (name) => {
    const expected = parseDeployment(fromYaml[name] ?? "", name);
    expect(parseDeployment(JSON.stringify(fromTypeScript[name]), name)).toEqual(expected);
    expect(parseDeployment(JSON.stringify(python[name]), name)).toEqual(expected);
    const built = join(import.meta.dirname, `${name}_deployment`, `${name}.json`);
    expect(parseDeployment(readFileSync(built, "utf8"), name)).toEqual(expected);
  });
});

describe("the check of a job at build time", () => {
  const check = (job: object) => {
    const folder = mkdtempSync(join(tmpdir(), "slipway-check-"));
    const [file, output] = [join(folder, "job.json"), join(folder, "checked")];
    writeFileSync(file, JSON.stringify(job, undefined, 2));
    const tool = join(process.env["TEST_SRCDIR"] ?? "", "_main/src/check");
    return spawnSync(tool, ["job", file, "pkg/job.json", output], { encoding: "utf8" });
  };
  const interpreter = typed.interpreters["tag"];

  it("accepts a job", () => {
    expect(check({ interpreter, command: ["x"] })).toMatchObject({ stderr: "", status: 0 });
  });

  it.each([
    [{ interpreter, command: "x" }, "pkg/job.json:8:14: command "],
    [{ interpreter, command: ["x"], function: "a:b" }, "pkg/job.json:11:15: function "],
    [{ interpreter: { ContainerAtTag: { repo: "a.io/b" } }, command: ["x"] }, "interpreter.ContainerAtTag.repo "],
    [{ interpreter: 3, command: ["x"] }, "pkg/job.json:2:18: interpreter "],
  ])("fails for %j", (job, culprit) => {
    expect(check(job)).toMatchObject({ stderr: expect.stringContaining(culprit), status: 2 });
  });
});
