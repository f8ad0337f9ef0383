import { describe, expect, it } from "vitest";
import { exitStatusOf } from "../core/errors.ts";
import { stopAll } from "../core/interrupts.ts";
import { executable } from "../core/testdata/executable.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { runContainer } from "./run.ts";
import { emptyRun } from "./testdata/evaluate.ts";

/** Runs an image by a podman that is this script. */
async function run(script: string, onStdout = () => {}) {
  const path = executable("podman", `#!/bin/sh\n${script}\n`);
  let err = "";
  const onStderr = (chunk: Buffer) => {
    err += chunk;
  };
  const options = { onStderr, grace: 1, env: { PATH: "/bin:/usr/bin" } };
  const ended = runContainer({ name: "podman", path }, { ...emptyRun, onStdout }, options);
  return { outcome: await ended.catch((error: Error) => error), err };
}

describe("a podman that is installed and broken", () => {
  it.each([
    [
      "unauthorized: authentication required",
      "image-pull-failed",
      "required\nLog in with `podman login r.example.com`",
    ],
    ["manifest unknown", "image-pull-failed", "_push target"],
    ["database is locked", "engine-unavailable", "database is locked\nRun `podman info`"],
    ["crun: executable file `python3` not found in $PATH", "image-unsuitable", "its command"],
    ['exec: "/no": OCI runtime attempted to invoke a command that was not found', "image-unsuitable", "its command"],
    ["potentially insufficient UIDs or GIDs", "engine-unavailable", "--add-subuids"],
  ] as const)("is an error with what it printed and the step: %s", async (printed, code, message) => {
    const { outcome, err } = await run(`echo 'Error: ${printed}' >&2; exit 125`);
    const culprit = code === "engine-unavailable" ? "podman" : emptyRun.image;
    expect(outcome).toEqual(userErrorWith(code, culprit));
    expect((outcome as Error).message).toContain(message);
    expect(exitStatusOf(outcome)).toBe(2);
    expect(err).toBe("");
  });

  it("is told from a program that ends with the same status", async () => {
    expect(await run("echo mine >&2; exit 125")).toEqual({ outcome: 125, err: "mine\n" });
  });

  it("is the one to speak where it does not know an option, with or without a name before its words", async () => {
    const docker =
      "unknown flag: --none\\n\\nUsage:  docker run [OPTIONS] IMAGE\\n\\nRun 'docker run --help' for more\\n";
    const { outcome, err } = await run(`printf "${docker}" >&2; exit 125`);
    expect(outcome).toBeInstanceOf(Error);
    expect((outcome as Error).message).toContain("unknown flag: --none");
    expect(err).toBe("");
  });

  it("is killed when it does not respond", async () => {
    const running = Promise.withResolvers<void>();
    const ended = run("trap '' TERM; test $1 = rm && exit; echo; while :; do sleep 100; done", () => running.resolve());
    await Promise.race([running.promise, ended]);
    await stopAll("SIGTERM");
    expect((await ended).outcome).toBe(137);
  });

  it("that cannot be executed is an error too", async () => {
    const broken = { name: "podman", path: "/nonexistent/podman" } as const;
    await expect(runContainer(broken, emptyRun)).rejects.toThrow(userErrorWith("engine-unavailable", "podman"));
  });
});
