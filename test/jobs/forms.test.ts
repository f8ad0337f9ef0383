import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Deployment, type JobCode, type JobInterpreter, SLIPWAY_INTERPRETER } from "slipway";
import { describe, expect, it } from "vitest";
import { parseDeployment } from "../../src/deployment/read.ts";

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

const pairs = Object.keys(yaml.interpreters).flatMap((interpreter) =>
  Object.keys(yaml.code)
    .filter((code) =>
      interpreter === "target" ? code === "none" : code !== "none" || !/poetry|conda|pip/.test(interpreter),
    )
    .map((code) => [interpreter, code] as const),
);

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
for (const [interpreter, code] of pairs) {
  const [one, other] = [
    yaml.interpreters[interpreter as keyof typeof yaml.interpreters],
    yaml.code[code as keyof typeof yaml.code],
  ];
  const given = typed.code[code];
  fromYaml[`${interpreter}_${code}`] =
    `interpreter:\n  ${one}\n${other === "" ? "" : `code:\n  ${other}\n`}command: [python, -m, report]\n`;
  fromTypeScript[`${interpreter}_${code}`] = {
    interpreter: typed.interpreters[interpreter] as JobInterpreter,
    ...(given ? { code: given } : {}),
    command: ["python", "-m", "report"],
  };
}

const python = JSON.parse(
  execFileSync("python3", [join(import.meta.dirname, "forms.py"), ...pairs.map((pair) => pair.join("_"))], {
    encoding: "utf8",
    env: { ...process.env, PYTHONPATH: join(import.meta.dirname, "../../python") },
  }),
) as Record<string, unknown>;

describe("a job", () => {
  it("has every interpreter and every kind of code", () => {
    expect(pairs).toHaveLength(9 * 5 - 3 - 4);
    expect(Object.keys(python)).toHaveLength(pairs.length + 1);
  });

  it.each(Object.keys(fromYaml))("is the same in YAML, TypeScript, Python and a BUILD file: %s", (name) => {
    const expected = parseDeployment(fromYaml[name] ?? "", name);
    expect(parseDeployment(JSON.stringify(fromTypeScript[name]), name)).toEqual(expected);
    expect(parseDeployment(JSON.stringify(python[name]), name)).toEqual(expected);
    const built = join(import.meta.dirname, `${name}_deployment`, `${name}.json`);
    expect(parseDeployment(readFileSync(built, "utf8"), name)).toEqual(expected);
  });
});
