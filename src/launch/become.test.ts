import { execFileSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import { ended, Target } from "./testdata/target.ts";

/** Its registry is never asked: mode `binary` knows the name of an image without. */
function target(program: string): Target {
  const made = new Target("binary", program);
  made.request.defaultRegistry = "registry.invalid";
  made.image({ layers: ["x"] });
  return made;
}

describe("the program that the launcher becomes", () => {
  it("gets every argument as it was given, those of the launcher's look included", async () => {
    const args = ["--help", "", "a b", "--registry=x", "--", "-n", "*", "$HOME", "new\nline", "ü"];
    const { stdout, status } = await target(`#!/bin/sh\nprintf '%s\\0' "$@"\n`).run(args);
    expect(stdout.split("\0").slice(0, -1)).toEqual(args);
    expect(status).toBe(0);
  });

  it("is the same process, in the same folder, with the same input", async () => {
    const started = target("#!/bin/sh\necho $$; pwd; cat\n");
    const child = started.start();
    child.stdin?.end("input");
    const { stdout } = await ended(child);
    expect(stdout).toBe(`${child.pid}\n${started.runfiles}\ninput`);
  });

  it("ends the run with its own status", async () => {
    expect((await target("#!/bin/sh\nexit 42\n").run()).status).toBe(42);
    expect((await target("#!/bin/sh\nkill -9 $$\n").run()).status).toBe("SIGKILL");
  });

  it.each(["SIGINT", "SIGTERM"] as const)("gets %s itself", async (signal) => {
    const child = target(
      `#!/bin/sh\ntrap 'echo caught; exit 7' ${signal.slice(3)}\necho ready\nwhile :; do sleep 0.01; done\n`,
    ).start();
    child.stdout?.once("data", () => child.kill(signal));
    expect(await ended(child)).toMatchObject({ status: 7, stdout: "ready\ncaught\n" });
  });

  it("handles every signal as if it had been started without a launcher", async () => {
    const made = target("#!/bin/sh\ngrep -E 'Sig(Ign|Blk)' /proc/self/status\n");
    const { stdout } = await made.run();
    expect(stdout).toBe(execFileSync(join(made.runfiles, "_main/pkg/program"), { encoding: "utf8" }));
  });

  it("sees its environment less what is the launcher's, and its images under every name asked for", async () => {
    const made = target("#!/bin/sh\nenv\n");
    made.request.imageEnv = ["OTHER_URIS"];
    const { stdout } = await made.run([], { MINE: "a\nb", SLIPWAY_CONTAINER_IMAGE_URIS: "stale##x" });
    const uris = `default##registry.invalid/team/app@${/sha256:[0-9a-f]{64}/.exec(stdout)?.[0]}`;
    const lines = stdout.split("\n");
    expect(lines).toContain(`SLIPWAY_CONTAINER_IMAGE_URIS=${uris}`);
    expect(lines).toContain(`OTHER_URIS=${uris}`);
    expect(stdout).toContain("MINE=a\nb\n");
    expect(stdout).not.toMatch(/SLIPWAY_RUNFILES|stale/);
  });

  it("may be a script without an interpreter, as for a shell", async () => {
    expect(await target("echo $1\n").run(["x y"])).toMatchObject({ stdout: "x y\n", status: 0 });
  });

  it("that is missing or not executable is an error that names it", async () => {
    const made = target("#!/bin/sh\n");
    chmodSync(join(made.runfiles, "_main/pkg/program"), 0o644);
    // Root may do everything but execute what nobody may.
    const stderr = printed("target-invalid", /_main\/pkg\/program .*\n.*chmod \+x/);
    expect(await made.run()).toMatchObject({ status: 1, stderr });
    made.request.program = "_main/pkg/absent";
    expect(await made.run()).toMatchObject({ status: 1, stderr: printed("target-invalid", "_main/pkg/absent ") });
  });

  it.runIf(existsSync("/usr/bin/script"))("has the terminal", async () => {
    const made = target('#!/bin/sh\nfor fd in 0 1 2; do test -t $fd && echo "terminal $fd"; done; true\n');
    const command = made.command().map((word) => `'${word}'`);
    const said = execFileSync("/usr/bin/script", ["-qec", command.join(" "), "/dev/null"], {
      env: made.env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(said.match(/terminal \d/g)).toEqual(["terminal 0", "terminal 1", "terminal 2"]);
  });
});
