import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import {
  callVariable,
  indexVariable,
  inputsVariable,
  limitVariable,
  nonceVariable,
  resultFileVariable,
} from "../core/protocol.ts";
import { executable } from "../core/testdata/executable.ts";
import { describeFunctions, run, start } from "./testdata/functions.ts";

describeFunctions({ env: {}, where: "a process of this machine" });

describe("a program without an image", () => {
  it("says so when containers are asked for", async () => {
    const { err, status } = await run("add", { SLIPWAY_ENGINE: "container" });
    expect(err).toMatch(/^SLIPWAY_ENGINE=container: .*\[engine-unavailable\]$/ms);
    expect(status).toBe(2);
  });

  it("runs no function on an engine that does not exist", async () => {
    const { out, err, status } = await run("add", { SLIPWAY_ENGINE: "kubernets" });
    expect(err).toMatch(/did you mean kubernetes\?.*\[variable-invalid\]$/ms);
    expect({ out, status }).toEqual({ out: "loading\n", status: 2 });
  });
});

describe("a function whose variable names a secret", () => {
  const home = mkdtempSync(join(tmpdir(), "secrets-"));
  const folder = join(home, "slipway/secrets");
  const env = { XDG_STATE_HOME: home };

  it("is not called where the secret is missing", async () => {
    const { err, status } = await run("secret", env);
    expect(err).toContain(`Variable PASSWORD names the secret db-password, which does not exist in ${folder}.`);
    expect(err).toMatch(/\[secret-not-found\]$/m);
    expect(status).toBe(2);
  });

  it("has its value in a process", async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "db-password"), "hunter2");
    expect((await run("secret", env)).result).toBe(7);
  });

  it("has its value in a container, whose command line has only the variable's name", async () => {
    const podman = executable(
      "podman",
      '#!/bin/sh\necho "$*" > "$0.args"\nprintf %s "$PASSWORD" > "$0.given"\nexit 3\n',
    );
    const container = {
      SLIPWAY_ENGINE: "container",
      SLIPWAY_CONTAINER_IMAGE: "r.io/a:1",
      CONTAINER_HOST: "unix:///none",
    };
    const { out, err } = await run("secret", { ...env, ...container, PATH: `${dirname(podman)}:/usr/bin:/bin` });
    expect(readFileSync(`${podman}.given`, "utf8")).toBe("hunter2");
    const written = out + err + readFileSync(`${podman}.args`, "utf8");
    expect(written).toContain("--env=PASSWORD ");
    expect(written).not.toContain("hunter2");
  });
});

describe("a function that may be tried again", () => {
  const marks = () => join(mkdtempSync(join(tmpdir(), "marks-")), "marks");

  it("gives the result of the attempt that succeeds, and says what failed", async () => {
    const { result, err } = await run("third", { MARKS: marks() });
    expect(result).toBe(3);
    for (const attempt of [1, 2]) {
      expect(err).toContain(`slipway: third: attempt ${attempt} of 3 failed; trying again\n`);
    }
  });

  it("fails with the last error where a map gives it fewer attempts", async () => {
    const { err, status } = await run("mapThird", { MARKS: marks() });
    expect(err.match(/trying again/g)).toHaveLength(1);
    expect(err).toContain("TideError: not yet");
    expect(status).toBe(1);
  });

  it("is ended at its time limit, each time", async () => {
    const { err, status } = await run("slow", {});
    expect(err).toContain("slipway: slow: attempt 1 of 2 failed; trying again\n");
    expect(err).toContain('"slow" failed in a process of this machine: It took longer than its time limit of 1 s.');
    expect(status).toBe(1);
  });
});

it("a map fails if its engine leaves an item out", async () => {
  const helper = executable("helper", `#!${process.execPath}\nconsole.log('{"done":{"requests":0}}')`);
  const env = { SLIPWAY_ENGINE: "kubernetes", SLIPWAY_ENGINE_HELPER: helper, SLIPWAY_CONTAINER_IMAGE: "r.io/a:1" };
  const { err, status } = await run("mapByName", env);
  expect(err).toMatch(/^Only 0 of 3 calls of "square" ran .*\[function-failed\]$/ms);
  expect(status).toBe(1);
});

it("a function that is killed names the limit that it had", async () => {
  const podman = executable("podman", "#!/bin/sh\nexit 137\n");
  const env = { SLIPWAY_ENGINE: "container", SLIPWAY_CONTAINER_IMAGE: "r.io/a:1", CONTAINER_HOST: "unix:///none" };
  const { err } = await run("mapLimited", { ...env, PATH: `${dirname(podman)}:/usr/bin:/bin` });
  expect(err).toContain(
    "It was killed, most often because it used more than its `resources.memory` of 1073741824 bytes.",
  );
});

describe("a function with an instance type", () => {
  /** A helper that answers, and notes what it was asked. */
  const helperOf = (answer: object) =>
    executable(
      "helper",
      `#!${process.execPath}\nrequire("node:fs").appendFileSync(__filename + ".asked", JSON.stringify(process.argv.slice(2)) + "\\n");\nconsole.log(${JSON.stringify(JSON.stringify(answer))});\n`,
    );

  it("has the limits that the helper finds for it in a container, and is refused where it finds none", async () => {
    const podman = executable("podman", '#!/bin/sh\necho "$*" >> "$0.args"\nexit 137\n');
    const container = {
      SLIPWAY_ENGINE: "container",
      SLIPWAY_CONTAINER_IMAGE: "r.io/a:1",
      CONTAINER_HOST: "unix:///none",
    };
    const env = { ...container, PATH: `${dirname(podman)}:/usr/bin:/bin` };
    const helper = helperOf({ cpu: 1, memory: 4096, gpu: 0, nodeSelector: { pool: "a" } });
    const { err } = await run("mapTyped", { ...env, SLIPWAY_ENGINE_HELPER: helper });
    expect(err).toContain("used more than its `resources.memory` of 4096 bytes");
    expect(readFileSync(`${podman}.args`, "utf8")).toMatch(/ --memory=4096b --cpus=1 /);
    const asked = ["resources", '{"cpu":1,"instance_type":"big"}', '"square"', "resources.instanceType"];
    expect(readFileSync(`${helper}.asked`, "utf8")).toBe(`${JSON.stringify(asked)}\n`);

    const message = "No.\nKnown: C1.";
    const identity = { code: "value-invalid", culprit: "resources.instanceType" };
    const error = { name: "UserError", message, details: message, ...identity };
    const refused = await run("mapTyped", { ...env, SLIPWAY_ENGINE_HELPER: helperOf({ error }) });
    expect(refused).toMatchObject({ err: "No.\nKnown: C1. [value-invalid]\n", status: 2 });
    const alone = await run("mapTyped", env);
    expect(alone).toMatchObject({ err: expect.stringContaining("[started-by-hand]"), status: 2 });
  });

  it("runs in a process, which nothing limits", async () => {
    expect((await run("mapTyped", {})).result).toEqual([1, 4, 9]);
  });
});

it("an error at the top of a module is printed like others, without the program's source", async () => {
  const { err, status } = await run("unknownOption", {});
  expect(err).toMatch(/^"wrong": netwrok is not an option \(did you mean network\?\)\.\n.*\[value-invalid\]\n$/);
  expect(status).toBe(2);
});

describe("a process that serves a function", () => {
  it("names the functions there are when asked for another", async () => {
    const child = start("", { [callVariable]: "subtract", [nonceVariable]: "n" });
    child.stdin.write("[]\n");
    const out = await text(child.stdout);
    expect(JSON.parse(out.slice("\x1eslipway n ".length)).error).toMatchObject({
      ...{ name: "UserError", code: "function-failed", culprit: "subtract" },
      message: expect.stringContaining("which has add, fail,"),
    });
  });

  it("writes nothing but the marked line to standard output", async () => {
    const child = start("", { [callVariable]: "nothing", [nonceVariable]: "n" });
    child.stdin.write("[]\n");
    expect(await text(child.stdout)).toBe("\x1eslipway n {}\n");
  });

  it("takes its arguments from files, and leaves what is short in one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "call-"));
    mkdirSync(join(folder, "in"));
    // A line may be divided among files.
    writeFileSync(join(folder, "in/000"), "[1,2]\n[3,");
    writeFileSync(join(folder, "in/001"), "4]\n[5,6]");
    const file = join(folder, "result");
    const serve = async (name: string, index: string, limit = "1000000") => {
      const child = start("", {
        ...{ [callVariable]: name, [nonceVariable]: "n", [resultFileVariable]: file },
        ...{ [inputsVariable]: join(folder, "in"), [indexVariable]: index, [limitVariable]: limit },
      });
      const [out, [status]] = await Promise.all([text(child.stdout), once(child, "close")]);
      return { out, status };
    };
    expect(await serve("add", "1")).toEqual({ out: "from a child\n", status: 0 });
    expect(JSON.parse(readFileSync(file, "utf8").slice("\x1eslipway n ".length)).result).toMatchObject({ sum: 7 });
    writeFileSync(file, "");
    writeFileSync(join(folder, "in/001"), "4]\n[5000]");
    const length = '\x1eslipway n {"result":""}\n'.length + 5000;
    expect((await serve("large", "2")).out).toHaveLength(length);
    expect(readFileSync(file, "utf8")).toBe(`\x1eslipway n {"logged":${length}}\n`);
    const { status } = await serve("large", "2", "4000");
    expect(status).toBe(1);
    expect(readFileSync(file, "utf8")).toContain("This engine cannot hand on files, folders and values above 8 MiB.");
  });

  it("ends when whoever called is gone", async () => {
    const child = start("", { [callVariable]: "waits", [nonceVariable]: "n" });
    child.stdin.write("[]\n");
    await once(child.stderr, "data");
    child.stdin.end();
    expect(await once(child, "close")).toEqual([129, null]);
  });
});
