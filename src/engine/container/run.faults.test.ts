import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitStatusOf } from "../../core/errors.ts";
import { stopAll } from "../../core/interrupts.ts";
import { reported } from "../../core/testdata/reported.ts";
import { runContainer } from "./run.ts";

/** Runs an image by a podman that is this script. */
async function run(script: string, onStdout = () => {}) {
  const path = join(mkdtempSync(join(tmpdir(), "podman-")), "podman");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  let err = "";
  const image = "localhost:5000/tide@sha256:".padEnd(91, "0");
  const whole = { image, programArguments: [], env: {}, stdin: "", network: "none", resources: {}, onStdout } as const;
  const onStderr = (chunk: Buffer) => {
    err += chunk;
  };
  const outcome = await runContainer({ name: "podman", path }, whole, {
    onStderr,
    grace: 1,
    env: { PATH: "/bin:/usr/bin" },
  }).catch((error: Error) => error);
  return { outcome, err };
}

describe("a podman that is installed and broken", () => {
  it.each([
    [
      "unauthorized: authentication required",
      "image-pull-failed",
      "unauthorized: authentication required\nLog in with `podman login localhost:5000`, or",
    ],
    ["manifest unknown", "image-pull-failed", "_push target"],
    ["database is locked", "engine-unavailable", "database is locked\nRun `podman info`"],
    [
      'container aa3e5b2404246: exec: "/nothing": OCI runtime attempted to invoke a command that was not found',
      "image-unsuitable",
      "Check its command",
    ],
    ["potentially insufficient UIDs or GIDs", "engine-unavailable", "--add-subuids"],
  ] as const)("is an error with what it printed and the step: %s", async (printed, code, message) => {
    const { outcome, err } = await run(`echo 'Error: ${printed}' >&2; exit 125`);
    const culprit = code === "engine-unavailable" ? "podman" : /^localhost:5000\/tide@sha256:0+$/;
    expect(outcome).toEqual(reported(code, culprit));
    expect((outcome as Error).message).toContain(message);
    expect(exitStatusOf(outcome)).toBe(2);
    expect(err).toBe("");
  });

  it("is told from a program that ends with the same status", async () => {
    expect(await run("echo mine >&2; exit 125")).toEqual({ outcome: 125, err: "mine\n" });
  });

  it("is killed when it does not respond", async () => {
    let running = () => {};
    const ready = new Promise<void>((resolve) => {
      running = resolve;
    });
    const ended = run("trap '' TERM; test $1 = rm && exit; echo; while :; do sleep 100; done", running);
    await Promise.race([ready, ended]);
    await stopAll("SIGTERM");
    expect((await ended).outcome).toBe(137);
  });

  it("that cannot be executed is an error too", async () => {
    const broken = { name: "podman", path: "/nonexistent/podman" } as const;
    const whole = {
      image: "a/b",
      programArguments: [],
      env: {},
      stdin: "",
      network: "none",
      resources: {},
      onStdout: () => {},
    } as const;
    await expect(runContainer(broken, whole)).rejects.toThrow(reported("engine-unavailable", "podman"));
  });
});
