import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { reported } from "../core/testdata/reported.ts";
import { type Deployment, JobError, resolveJob, runJob, SLIPWAY_INTERPRETER } from "./index.ts";

// Says what it was asked, as JSON, writes a lock when that is what it is asked for, or ends with the status that STATUS has.
const fake = `#!/bin/sh
[ -z "$STATUS" ] || exit "$STATUS"
[ "$2" = run ] || printf '{"version": 1}' > "$5/job.lock.json"
printf '{"arguments": "%s", "document": %s}' "$1 $2 $4 $5 $6 $7" "$(cat "$3")"
`;

const job: Deployment = {
  interpreter: { ServerAvailableInterpreter: { interpreter_path: SLIPWAY_INTERPRETER } },
  function: "a.ts",
  time_limit: "1h",
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-job-test-"));
  writeFileSync(join(folder, "slipway"), fake);
  chmodSync(join(folder, "slipway"), 0o755);
  vi.stubEnv("SLIPWAY_COMMAND", join(folder, "slipway"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("a job in a program", () => {
  it("is run by the command line, from the folder that is meant, and gives what its function gave", async () => {
    expect(await runJob(job, { folder, engine: "process" })).toEqual({
      arguments: `job run --folder ${folder} --engine process`,
      document: job,
    });
  });

  it("starts relative paths where `bazel run` was called", async () => {
    vi.stubEnv("BUILD_WORKING_DIRECTORY", folder);
    for (const [given, expected] of [
      [undefined, folder],
      ["pkg", join(folder, "pkg")],
      ["/x", "/x"],
    ] as const) {
      const asked = await runJob(job, given === undefined ? {} : { folder: given });
      expect(asked).toMatchObject({ arguments: `job run --folder ${expected}  ` });
    }
  });

  it("that is a command gives what it printed", async () => {
    const { function: _, ...rest } = job;
    expect(await runJob({ ...rest, command: ["x"] })).toContain('"command":["x"]');
  });

  it("leaves no file when the program that waits for it is interrupted", async () => {
    // Says where its document is, and waits to be killed.
    writeFileSync(
      join(folder, "slipway"),
      '#!/bin/sh\nprintf %s "$3" > "$5/place.new"; mv "$5/place.new" "$5/place"; exec sleep 60\n',
    );
    const index = JSON.stringify(join(import.meta.dirname, "index.ts"));
    const program = `import { runJob } from ${index}; await runJob(${JSON.stringify(job)}, ${JSON.stringify({ folder })});`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: "ignore",
      detached: true,
    });
    const ended = once(child, "exit");
    await expect.poll(() => existsSync(join(folder, "place")), { timeout: 10_000 }).toBe(true);
    const document = readFileSync(join(folder, "place"), "utf8");
    expect(existsSync(document)).toBe(true);
    process.kill(-(child.pid as number), "SIGINT");
    expect(await ended).toEqual([null, "SIGINT"]);
    expect(existsSync(dirname(document))).toBe(false);
  });

  it("is resolved to its lock", async () => {
    expect(await resolveJob(job, { folder })).toEqual({ version: 1 });
  });

  it("that fails does so with its status", async () => {
    vi.stubEnv("STATUS", "37");
    const failure = await runJob(job).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(JobError);
    expect(failure).toMatchObject({ status: 37, message: "slipway job run ended with status 37." });
  });

  it("finds the command line on PATH, or says where it comes from", async () => {
    vi.stubEnv("SLIPWAY_COMMAND", "");
    vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
    expect(await runJob(job)).toMatchObject({ document: job });
    vi.stubEnv("PATH", "/nowhere");
    await expect(runJob(job)).rejects.toThrow(reported("program-missing", "slipway"));
  });
});
