import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { ContainerClient } from "../../containers/client.ts";
import { helperOfTest } from "../../functions/testdata/helper.ts";

/** Path of the program below, in the repository. */
export const program = "src/sdk/testdata/program.ts";

const helper = helperOfTest();

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Starts the program for one of its scenarios, with these variables and what it needs to start. */
export function start(scenario: string, env: Record<string, string>): Child {
  return spawn(process.execPath, [program, scenario], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], SLIPWAY_ENGINE_HELPER: helper, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Runs it to its end. */
export async function run(scenario: string, env: Record<string, string>) {
  const child = start(scenario, env);
  child.stdin.end();
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status, err, out, result: JSON.parse(out.replace("loading\n", "") || "null") };
}

/** Where functions run: how to make them run there, and how an error names it. */
export interface Place {
  readonly env: Record<string, string>;
  readonly where: string;
  /** For a container: the client, and the image that the variables name. */
  readonly container?: { readonly client: ContainerClient; readonly image: string };
}

/** Tests that hold on every engine. */
export function describeFunctions({ env, where, container }: Place): void {
  describe(`a function in ${where}`, () => {
    it("gets arguments, sees the program's own, and hands its result back; what it prints goes to standard error", async () => {
      const { result, err, status } = await run("add", env);
      expect(result).toMatchObject({ sum: 3, argument: "add" });
      // A container's output and error come by two ways, so their lines have no order among each other.
      expect(err.split("\n").sort()).toEqual(["", "adding", "from a child", "loading"]);
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
      expect(err).toMatch(/ {4}--- thrown in .*, called here ---\n {4}at .*program\.ts:\d+/);
      expect(err).toContain(`--- thrown in ${where}, called here ---`);
      const called = err.slice(err.indexOf("called here"));
      expect(called.match(/src\/(sdk\/[^t]|engine)/g) ?? []).toHaveLength(1);
      expect(status).toBe(1);
    });

    it("may return nothing, and much", async () => {
      expect((await run("nothing", env)).result).toEqual({ isUndefined: true });
      expect((await run("large", env)).result).toBe(4 * 1024 * 1024);
    });

    it.each([
      ["odd", 2, "value-invalid", 'The result of "odd" cannot be handed on: .depths[0] is a Map.'],
      ["tooLarge", 1, "value-invalid", 'result of "large"'],
      ["exits", 1, "function-failed", `"exits" ended with status 7 in ${where}`],
      ["oddArgument", 2, "value-invalid", 'argument list of "add"'],
      ["mapNobody", 2, "function-failed", '"cube"'],
      ["mapNone", 2, "value-invalid", "parallelism"],
      ["mapUnknown", 2, "value-invalid", "resources.gpus is not a resource (did you mean gpu?)"],
      ["mapVolume", 2, "volume-unusable", "/data names /nowhere/at/all"],
      ["itselfForever", 2, "function-failed", "runInImage"],
    ])("reports %s by exit status %d and code", async (scenario, status, code, culprit) => {
      const ended = await run(scenario, env);
      expect(ended.err).toContain(culprit);
      expect(ended.err).toContain(`[${code}]\n`);
      expect(ended.status).toBe(status);
    });

    it("calls another function where it is", async () => {
      expect((await run("outer", env)).result).toBe(5);
    });

    it("sees declared variables, line ends included", async () => {
      const { result } = await run("where", { ...env, UNDECLARED: "secret", HTTP_PROXY: "http://user:secret@proxy" });
      expect(result.declared).toBe("line one\nline two");
      const names = ["DECLARED", "HOME", "HOSTNAME", "PATH", "SLIPWAY_CONTAINER_IMAGE"];
      if (container?.client.name === "podman") names.push("TERM", "container");
      if (container !== undefined) expect(result).toMatchObject({ variables: names, user: 1000, image: true });
      else expect(result.variables).toContain("UNDECLARED");
    });

    it("runs for every item, with results in order, whatever becomes of the others", async () => {
      expect((await run("map", env)).result).toEqual([0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121]);
      const { result, err } = await run("mapPrints", env);
      expect(result).toEqual([0, 1, 2]);
      // Each line stands after its item, also of what the function starts.
      const lines = [0, 1, 2].flatMap((n) => [`[prints ${n}] ebb ${n}`, `[prints ${n}] flow ${n}`]);
      expect(err.match(/^\[prints \d\] (?!loading$).*$/gm)?.sort()).toEqual(lines);
      expect((await run("mapNothing", env)).result).toEqual([]);
      expect((await run("mapLimited", env)).result).toEqual([1, 4, 9]);
      const { message, indices } = (await run("mapFails", env)).result;
      expect(indices).toEqual([13, 17]);
      expect(message).toMatch(
        /^2 of 20 items of "square" failed: 13, 17\.\nitem 13: TideError: thirteen\n {4}at .*program\.ts:\d+/,
      );
      expect(message).toContain(`item 17: "square" ended with status 7 in ${where}`);
      const [four, thrown, exited] = (await run("mapSettles", env)).result;
      expect([four, thrown]).toEqual([4, "TideError: thirteen"]);
      expect(exited).toContain('Failure: "square" ended with status 7');
    });

    it("maps where it is when it is in the image already", async () => {
      expect((await run("mapInside", env)).result).toEqual([4, 9]);
    });

    it("runs the program itself with its own arguments, and hands back what it returns", async () => {
      expect((await run("itself", env)).result).toEqual({ arguments: ["itself", "--deep"] });
      expect((await run("itselfFails", env)).err).toMatch(/^TideError: the tide is out\n {4}at .*program\.ts/m);
      const { err, status } = await run("itselfExits", env);
      expect(err).toContain(`The program ended with status 3 in ${where}`);
      expect(err).toContain("[function-failed]");
      expect(status).toBe(1);
    });

    it("tells its engine", async () => {
      const kind = container === undefined ? "process" : "container";
      expect((await run("engine", env)).result).toMatchObject({ kind });
    });

    it.each([["SIGINT"], ["SIGKILL"]] as const)("ends with a map on %s", async (signal) => {
      const child = start("mapWaits", env);
      const pid = await pidOf(child);
      child.kill(signal);
      await once(child, "close");
      await untilGone(pid);
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

    /** After a kill it is for the function to note that nobody waits any more. */
    async function untilGone(pid: number): Promise<void> {
      for (;;) {
        try {
          return expectGone(pid);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    }

    function expectGone(pid: number): void {
      if (container === undefined) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
      else {
        const args = ["ps", "--all", "--quiet", "--filter", `ancestor=${container.image}`];
        expect(execFileSync(container.client.path, args, { encoding: "utf8" })).toBe("");
      }
    }
  });
}
