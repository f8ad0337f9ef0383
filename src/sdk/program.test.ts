import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { installedPodman, makeImage } from "../engine/testdata/image.ts";
import { callVariable, nonceVariable } from "./protocol.ts";

const program = "src/sdk/testdata/program.ts";
const podman = installedPodman();
const made = podman === undefined ? undefined : makeImage(podman.path, program);
afterAll(() => made?.remove());

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

function start(scenario: string, env: Record<string, string>): Child {
  return spawn(process.execPath, [program, scenario], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

async function run(scenario: string, env: Record<string, string>, stdin = "") {
  const child = start(scenario, env);
  child.stdin.end(stdin);
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status, err, out, result: JSON.parse(out.replace("loading\n", "") || "null") };
}

const engines = [
  { engine: "process", env: {} as Record<string, string>, where: "a process of this machine" },
  ...(made === undefined
    ? []
    : [
        {
          engine: "container",
          env: { SLIPWAY_CONTAINER_IMAGE: made.image, SLIPWAY_ENGINE: "container" },
          where: `a container of ${made.image}`,
        },
      ]),
];

describe.each(engines)("a function on the engine $engine", ({ engine, env, where }) => {
  it("gets arguments, sees the program's own, and hands its result back; what it prints goes to standard error", async () => {
    const { result, err, status } = await run("add", env);
    expect(result).toMatchObject({ sum: 3, argument: "add" });
    expect(err).toBe("loading\nadding\nfrom a child\n");
    expect(status).toBe(0);
  });

  it("may run several times at once", async () => {
    const { result } = await run("together", env);
    expect(result.map(({ sum }: { sum: number }) => sum)).toEqual([2, 4, 6]);
  });

  it("throws with its own stack and cause, and says where", async () => {
    const { err, status } = await run("fail", env);
    expect(err).toMatch(/^TideError: the tide is out\n {4}at .*program\.ts:\d+:\d+\)?\n/m);
    expect(err).toContain("[cause]: Error: the moon");
    expect(err).toContain(`--- thrown in ${where}, called here ---`);
    expect(status).toBe(1);
  });

  it("may return nothing, and much", async () => {
    expect((await run("nothing", env)).result).toEqual({ isUndefined: true });
    expect((await run("large", env)).result).toBe(4 * 1024 * 1024);
  });

  it.each([
    ["nan", 2, 'The result of "nan" is not JSON: .depth is NaN.'],
    ["tooLarge", 1, 'The result of "large" takes 16777218 bytes as JSON, and at most 16777216 go through.'],
    ["exits", 1, `"exits" ended with status 7 in ${where} before it gave a result.`],
    ["date", 2, 'The list of arguments of "add" is not JSON: [0] is a Date.'],
  ])("reports %s by exit status %d and one clear sentence", async (scenario, status, problem) => {
    const ended = await run(scenario, env);
    expect(ended.err).toContain(`${problem}\n`);
    expect(ended.status).toBe(status);
  });

  it("calls another function where it is", async () => {
    expect((await run("outer", env)).result).toBe(5);
  });

  it("sees declared variables, line ends included", async () => {
    const { result } = await run("where", { ...env, UNDECLARED: "secret", HTTP_PROXY: "http://user:secret@proxy" });
    expect(result.declared).toBe("line one\nline two");
    const names = ["DECLARED", "HOME", "HOSTNAME", "PATH", "SLIPWAY_CONTAINER_IMAGE", "TERM", "container"];
    if (engine === "container") expect(result).toMatchObject({ variables: names, user: 1000, image: true });
    else expect(result.variables).toContain("UNDECLARED");
  });

  it.each([["SIGTERM"], ["SIGINT"]] as const)("ends with the program on %s", async (signal) => {
    const child = start("waits", env);
    const pid = await pidOf(child);
    child.kill(signal);
    const [, killedBy] = await once(child, "close");
    expect(killedBy).toBe(signal);
    expectGone(pid);
  });

  it("is stopped when another fails", async () => {
    const child = start("failsWhileWaiting", env);
    const pid = await pidOf(child);
    child.kill("SIGUSR2");
    const [status] = await once(child, "close");
    expect(status).toBe(1);
    expectGone(pid);
  });

  /** The function's process, as it is known where it runs, once it waits. */
  function pidOf(child: Child): Promise<number> {
    return new Promise((resolve, reject) => {
      let err = "";
      child.stderr.on("data", (chunk: Buffer) => {
        err += chunk;
        const pid = /waiting as (\d+)\n/.exec(err)?.[1];
        if (pid !== undefined) resolve(Number(pid));
      });
      child.on("close", () => reject(new Error(`it ended: ${err}`)));
    });
  }

  function expectGone(pid: number): void {
    if (engine === "process") expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    else {
      const args = ["ps", "--all", "--quiet", "--filter", `ancestor=${made?.image}`];
      expect(execFileSync(podman?.path ?? "", args, { encoding: "utf8" })).toBe("");
    }
  }
});

describe("a program without an image", () => {
  it("says so when containers are asked for", async () => {
    const { err, status } = await run("add", { SLIPWAY_ENGINE: "container" });
    expect(err).toContain("SLIPWAY_ENGINE=container: this program was started without an image.\n");
    expect(status).toBe(2);
  });
});

describe("a process that serves a function", () => {
  it("names the functions there are when asked for another", async () => {
    const child = start("", { [callVariable]: "subtract", [nonceVariable]: "n" });
    child.stdin.end("[]");
    const out = await text(child.stdout);
    expect(out).toContain('\\"subtract\\" is not a function of this program, which has add, fail,');
  });

  it("writes nothing but the marked line to standard output", async () => {
    const child = start("", { [callVariable]: "nothing", [nonceVariable]: "n" });
    child.stdin.end("[]");
    expect(await text(child.stdout)).toBe("\x1eslipway n {}\n");
  });
});
