import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Failure, UserError } from "../core/errors.ts";
import { executable } from "../core/testdata/executable.ts";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { helperOfTest } from "../functions/testdata/helper.ts";
import { type Deployment, JobError, resolveJob, runJob, SLIPWAY_INTERPRETER } from "./index.ts";

const interpreter = { ServerAvailableInterpreter: { interpreter_path: SLIPWAY_INTERPRETER } };
const command = (script: string): Deployment => ({ interpreter, command: ["node", "--eval", script] });

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  for (const variable of ["XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]) vi.stubEnv(variable, folder);
  vi.stubEnv("SLIPWAY_ENGINE", "");
  vi.stubEnv("SLIPWAY_CONFIG", "");
  // No command line is there to start.
  vi.stubEnv("SLIPWAY_COMMAND", "/nowhere/slipway");
  vi.stubEnv("SLIPWAY_ENGINE_HELPER", helperOfTest());
  return () => vi.unstubAllEnvs();
});

const thrownBy = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a job in a program", () => {
  it("runs in the engine helper, and gives what its function gave", async () => {
    writeFileSync(join(folder, "sum.js"), "export default (...all) => ({ sum: all.reduce((a, b) => a + b) });");
    const code = { ServerAvailableFolder: { code_paths: ["."] } };
    expect(await runJob({ interpreter, code, function: "sum.js", arguments: [1, 2, 3] }, { folder })).toEqual({
      sum: 6,
    });
  });

  it("that is a command gives what it printed", async () => {
    expect(await runJob(command("console.log('æ', process.argv.length)"), { folder })).toBe("æ 1\n");
  });

  it("starts relative paths where `bazel run` was called", async () => {
    vi.stubEnv("BUILD_WORKING_DIRECTORY", folder);
    const job = {
      ...command("process.stdout.write(process.cwd())"),
      code: { ServerAvailableFolder: { code_paths: ["."] } },
    };
    expect(await runJob(job)).toBe(folder);
    await expect(runJob(job, { folder: "pkg" })).rejects.toThrow(userErrorWith("code-invalid", join(folder, "pkg")));
  });

  it("that fails does so with its status", async () => {
    const error = await thrownBy(runJob(command("process.exit(37)"), { folder }));
    expect(error).toBeInstanceOf(JobError);
    expect(error).toMatchObject({
      status: 37,
      code: "job-failed",
      culprit: expect.stringMatching(/^job-[0-9a-f]{8}$/),
    });
  });

  it("that cannot run is a UserError with its code and culprit", async () => {
    const error = await thrownBy(runJob({ ...command(""), command: [] }, { folder, name: "empty" }));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({
      code: "field-invalid",
      culprit: expect.stringMatching(/empty\.json:1:\d+$/),
      exitStatus: 2,
    });
    const scheduled = { ...command(""), schedule: "0 3 * * *" };
    expect(await thrownBy(runJob(scheduled, { folder }))).toMatchObject({ code: "engine-unavailable", exitStatus: 2 });
  });

  it("is a Failure where the helper's error is one", async () => {
    const answer =
      '{"error": {"code": "tls-invalid", "culprit": "r.example.com", "name": "Failure", "message": "P.", "details": ""}}';
    vi.stubEnv("SLIPWAY_ENGINE_HELPER", executable("helper", `#!/bin/sh\ncat >&2\necho '${answer}'\nexit 1\n`));
    const error = await thrownBy(runJob(command(""), { folder }));
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: "tls-invalid", culprit: "r.example.com", problem: "P." });
  });

  it("is a Failure where the helper is killed, or says no JSON", async () => {
    for (const script of ["kill -9 $$", "echo broken"]) {
      const helper = executable("helper", `#!/bin/sh\n${script}\n`);
      vi.stubEnv("SLIPWAY_ENGINE_HELPER", helper);
      await expect(runJob(command(""), { folder })).rejects.toThrow(failureWith("program-failed", helper));
    }
  });

  it("is resolved to its lock", async () => {
    const lock = await resolveJob(command("1"), { folder, name: "report" });
    expect(lock).toMatchObject({ version: 1, deployment: { command: ["node", "--eval", "1"] } });
    expect(JSON.parse(readFileSync(join(folder, "report.lock.json"), "utf8"))).toEqual(lock);
    await expect(runJob(command("2"), { folder, name: "report" })).rejects.toThrow(
      userErrorWith("lock-outdated", join(relative("", folder), "report.lock.json")),
    );
  });

  it("of a program without a helper is run by the command line, in the same way", async () => {
    vi.stubEnv("SLIPWAY_ENGINE_HELPER", "");
    const asked = executable("slipway", `#!/bin/sh\necho "{\\"result\\": \\"$*\\"}"\n`);
    vi.stubEnv("SLIPWAY_COMMAND", asked);
    expect(await runJob(command(""), { folder })).toBe("job answer");
    vi.stubEnv("SLIPWAY_COMMAND", "");
    vi.stubEnv("PATH", dirname(asked));
    expect(await runJob(command(""), { folder })).toBe("job answer");
    vi.stubEnv("PATH", "/nowhere");
    await expect(runJob(command(""))).rejects.toThrow(userErrorWith("program-missing", "slipway"));
  });
});
