import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDocument } from "../config/read-document.ts";
import type { UserError } from "../core/errors.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { functionLanguage } from "./function.ts";
import { JobFile } from "./job-file.ts";
import { parseDeployment } from "./read.ts";

const readDeployment = async (path: string, name: string) => parseDeployment(await readDocument(path, name), name);

import { expectMistakes, readCorpus } from "./testdata/corpus.ts";

const container = "interpreter: {ContainerAtTag: {repository: a.io/b}}\n";
const parse = (text: string) => parseDeployment(text, "job.yaml");

/** The error for a text; undefined when it is a deployment. */
function errorOf(text: string): UserError | undefined {
  try {
    parse(text);
  } catch (error) {
    return error as UserError;
  }
  return undefined;
}

const corpus = readCorpus(join(import.meta.dirname, "testdata/malformed.txt"));
const place = /^job\.yaml:\d+:\d+$/;

describe("a deployment that is malformed", () => {
  it("has a corpus", () => {
    expect(corpus.length).toBeGreaterThan(120);
    expect(corpus.filter(({ name, mistakes }) => !name || mistakes.length === 0)).toEqual([]);
  });

  it.each(corpus)("by $name", (malformed) => {
    expectMistakes(errorOf(malformed.text) as UserError, "job.yaml", malformed);
  });

  it("by several mistakes, each with what to do beside it", () => {
    const error = errorOf(`${container}retries: many\ncomand: [x]\n`);
    expect(error).toEqual(userErrorWith("field-invalid", "job.yaml:2:10"));
    expect(error?.problem.split("\n")).toEqual([
      "job.yaml:2:10: retries is a text, not a number.",
      "  Give a number, without quotes.",
      "job.yaml:3:1: comand is not a field of a job (did you mean command?).",
      expect.stringMatching(/^ {2}Known here: interpreter, code, /),
    ]);
    expect(error?.remedy).toBe("Correct these 2 mistakes.");
  });

  it("by a function beside a matrix", () => {
    const text = `${container}function: a:b\nmatrix: {A: [1]}\n`;
    expect(errorOf(text)).toEqual(userErrorWith("field-invalid", "job.yaml:3:9"));
    const items = Array.from({ length: 101 }, (_, index) => index).join();
    const large = `${container}command: [x]\nmatrix: {A: [${items}], B: [${items}]}\n`;
    expect(errorOf(large)?.problem).toContain("has 10201 items");
  });

  it("by nesting without end", () => {
    expect(errorOf(`a: ${"[".repeat(20_000)}`)).toEqual(userErrorWith("file-invalid", /^job\.yaml:1:/));
    const deep = `${"[".repeat(300)}1${"]".repeat(300)}`;
    expect(errorOf(`${container}function: a:b\narguments: ${deep}\n`)).toEqual(
      userErrorWith("file-invalid", /^job\.yaml:3:/),
    );
  });

  it("never shows a secret that stands in an address", () => {
    const secrets = corpus.filter(({ text }) => text.includes("hunter2"));
    expect(secrets.length).toBeGreaterThan(2);
    expect(secrets.filter(({ text }) => errorOf(text)?.message.includes("hunter2"))).toEqual([]);
  });

  it("is said to be wrong, whatever it is, and never with a stack", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => {
        expect(errorOf(text)).toMatchObject({ exitStatus: 2, culprit: expect.stringMatching(place) });
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...corpus), fc.nat(), fc.string(), ({ text }, at, garbage) => {
        const cut = at % (text.length + 1);
        const error = errorOf(text.slice(0, cut) + garbage + text.slice(cut));
        if (error) expect(error).toMatchObject({ exitStatus: 2, culprit: expect.stringMatching(place) });
      }),
    );
  });
});

describe("a deployment's file", () => {
  const read = async (content: string | Uint8Array) => {
    const path = join(folderOfTest(), "job.yaml");
    writeFileSync(path, content);
    return readDeployment(path, "job.yaml");
  };

  it("must be there, be text, and be small", async () => {
    await expect(readDeployment("/nonexistent/a.yaml", "a.yaml")).rejects.toThrow(
      userErrorWith("file-unreadable", "a.yaml"),
    );
    for (const content of [Buffer.from([0xff, 0xfe]), `# ${"x".repeat(1 << 20)}`])
      await expect(read(content)).rejects.toThrow(userErrorWith("file-invalid", "job.yaml"));
  });

  it("says where relative paths start", () => {
    expect(new JobFile({ file: "/a/b/job.yaml" }).folder).toBe("/a/b");
    expect(new JobFile({ file: "/a/b/job.yaml", folder: "/c" }).folder).toBe("/c");
  });
});

describe("a deployment", () => {
  it("gets its defaults", () => {
    expect(parse(`${container}command: [x]\n`)).toEqual({
      interpreter: { ContainerAtTag: { repository: "a.io/b", tag: "latest" } },
      command: ["x"],
      environment: {},
      resources: {},
      retries: 0,
    });
  });

  it("has no code where that is null", () => {
    for (const code of ["code: null", "code:"]) {
      expect(parse(`${container}command: [x]\n${code}\n`)).not.toHaveProperty("code");
    }
  });

  it("keeps a name that JavaScript has a meaning for", () => {
    const job = parse(`${container}function: a:b\nenvironment: {__proto__: "1"}\narguments: [{__proto__: 2}]\n`);
    const read = JSON.stringify(job);
    expect(read).toContain('"environment":{"__proto__":"1"}');
    expect(read).toContain('"arguments":[{"__proto__":2}]');
    expect(JSON.stringify(parse(read))).toBe(read);
  });

  it("is the same in YAML and JSON, and when it is read again", () => {
    const yaml = parse(`
interpreter:
  PipRequirements: {path: reqs/main.txt, python: "3.12"}
code:
  git_repo: {repo_url: "git@github.com:team/repo.git", path_to_source: src}
function: report.weekly:make
arguments: [1, {a: [null, true]}]
environment: {A: "b=c"}
resources: {cpu: 0.5, memory: 1.5GiB, gpu: 1}
volumes: {/data: {claim: training-data}, /out: {folder: ./out, writable: true}}
platform: linux/arm64
time_limit: 1h30m
retries: 2
`);
    expect(yaml).toMatchObject({
      code: { GitRepoBranch: { repo_url: "git@github.com:team/repo.git", branch: "main", path_to_source: "src" } },
      resources: { cpu: 0.5, memory: 1.5 * 2 ** 30, gpu: 1 },
      volumes: { "/data": { claim: "training-data" }, "/out": { folder: "./out", writable: true } },
      time_limit: 5400,
    });
    expect(parse(JSON.stringify(yaml))).toEqual(yaml);
  });

  it("may name the tool's own interpreter, and an image target that runs as it is", () => {
    const own = "interpreter: {ServerAvailableInterpreter: {interpreter_path: SLIPWAY_INTERPRETER}}\n";
    expect(parse(`${own}function: a/b.ts\ncode: {ServerAvailableFolder: {code_paths: [., lib]}}\n`).function).toBe(
      "a/b.ts",
    );
    expect(parse("interpreter: {ImageTarget: {target: //train:main}}\n").interpreter).toEqual({
      ImageTarget: { target: "//train:main", tag: "default" },
    });
  });

  it.each([
    ["https://git.example.com:8443/team/repo.git"],
    ["ssh://git@git.example.com:2222/team/repo"],
    ["git@github.com:team/repo.git"],
    ["ssh://git.example.com/~user/repo"],
  ])("may have its code at %s", (url) => {
    expect(errorOf(`${container}command: [x]\ncode: {GitRepoBranch: {repo_url: "${url}"}}\n`)).toBeUndefined();
  });
});

describe("the examples", () => {
  const folder = join(import.meta.dirname, "../../examples/jobs");
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

  it("show every interpreter and every kind of code", async () => {
    const jobs = await Promise.all(names.map((name) => readDeployment(join(folder, name), name)));
    const shown = jobs.flatMap(({ interpreter, code = { none: {} } }) => [
      ...Object.keys(interpreter),
      ...Object.keys(code),
    ]);
    expect([...new Set(shown)].sort()).toEqual([
      "CondaEnv",
      "ContainerAtDigest",
      "ContainerAtTag",
      "GitRepoBranch",
      "GitRepoCommit",
      "ImageTarget",
      "PipRequirements",
      "PoetryProject",
      "ServerAvailableFolder",
      "ServerAvailableInterpreter",
      "none",
    ]);
  });
});

describe("the language of a function", () => {
  it.each([
    ["report:main", "python"],
    ["a.b.c:Class.method", "python"],
    ["größe:wert", "python"],
    ["main.ts", "node"],
    ["src/report.mjs", "node"],
    ["report.py:main", undefined],
    ["/main.ts", undefined],
    ["a/../../main.ts", undefined],
    ["main", undefined],
    ["a:b:c", undefined],
    ["__import__('os'):x", undefined],
  ])("of %s is %s", (name, language) => {
    expect(functionLanguage(name)).toBe(language);
  });
});
