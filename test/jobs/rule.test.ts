import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Machine } from "./machine.ts";

/** A user who typed `bazel run` in a folder of the repository. */
function user() {
  const machine = new Machine();
  const env = {
    BUILD_WORKSPACE_DIRECTORY: machine.home,
    BUILD_WORKING_DIRECTORY: join(machine.home, "test"),
    SLIPWAY_ENGINE: "container",
  };
  machine.write({ "test/jobs/BUILD.bazel": "" });
  return { machine, run: (target: string, ...args: string[]) => machine.run(`test/jobs/${target}`, args, env) };
}

it("a pipeline as a job: its image is pushed, resolved beside the BUILD file, and run as it was resolved", async () => {
  const { machine, run } = user();
  const lock = join(machine.home, "test/jobs/program_job.lock.json");
  const first = await run("program_job");
  expect(first).toMatchObject({ out: "6\n", status: 0 });
  expect(first.error).toMatch(/^pushed localhost:\d+\/test\/jobs@sha256:\w+: \d+ blobs sent/m);
  expect(existsSync(lock)).toBe(false);
  expect(await run("program_job_diff")).toMatchObject({
    error: expect.stringMatching(
      /^jobs\/program_job\.lock\.json .*`bazel run \/\/test\/jobs:program_job_resolve`.*\[lock-outdated\]\n$/s,
    ),
    status: 2,
  });

  expect(await run("program_job_resolve")).toEqual({ out: "jobs/program_job.lock.json\n", error: "", status: 0 });
  expect(JSON.parse(readFileSync(lock, "utf8"))).toMatchObject({
    deployment: { interpreter: { ContainerAtDigest: { digest: expect.stringMatching(/^sha256:/) } } },
    source: { interpreter: { ImageTarget: { target: "//test/jobs:program", tag: "default" } } },
  });
  expect(await run("program_job_diff")).toMatchObject({
    error: "Nothing moved since jobs/program_job.lock.json was made.\n",
    status: 0,
  });
  const { out, status } = await run("program_job", "--detach");
  expect(status).toBe(0);
  expect(out).toMatch(/^program-job-[0-9a-f]{8}\n$/);
  expect(await machine.slipway(["job", "logs", "--follow", out.trim()])).toMatchObject({ out: "6\n", status: 0 });
});

it("a job by its document: paths start at the document in the repository, which Bazel has elsewhere", async () => {
  const { machine, run } = user();
  machine.write({ "test/jobs/code/half.mjs": "export default (x) => x / 2;\n" });
  expect(await run("document_job")).toMatchObject({ out: "21\n", status: 0 });
  expect(await run("document_job_resolve")).toMatchObject({ out: "jobs/half.lock.json\n", status: 0 });
  const lock = join(machine.home, "test/jobs/half.lock.json");
  machine.write({ "test/jobs/half.lock.json": readFileSync(lock, "utf8").replace('"retries": 0', '"retries": 1') });
  expect(await run("document_job")).toMatchObject({
    error: expect.stringMatching(
      /^jobs\/half\.yaml .*`bazel run \/\/test\/jobs:document_job_resolve`.*\[lock-outdated\]\n$/s,
    ),
    status: 2,
  });
});

it("a job whose interpreter is the label of an image", async () => {
  const { run } = user();
  expect(await run("image_job")).toMatchObject({ out: "first\n", status: 0 });
});
