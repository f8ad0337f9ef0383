import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { engineOfTest, type TestEngine, until } from "../jobs/kubernetes/testdata/cluster.ts";
import type { Job } from "../kubernetes/objects.ts";
import { pushShell } from "../kubernetes/testdata/image.ts";
import { outcomeOf, start as startProgram } from "./testdata/slipway.ts";

const program = join(process.env["TEST_SRCDIR"] ?? "", "_main/src/slipway");

/** The command line as a user of a cluster has it, and a job of one command line of a shell. */
async function userOf(cluster: TestEngine) {
  const home = cluster.env["HOME"] ?? "";
  const image = await pushShell(cluster.registry);
  const [repository, digest] = image.split("@");
  const start = (args: readonly string[], more: Record<string, string> = {}) =>
    startProgram([program, "job", ...args], { env: { ...cluster.env, ...more }, cwd: home });
  const job = (script: string, more: object = {}) => {
    const file = { interpreter: { ContainerAtDigest: { repository, digest } }, command: [script], ...more };
    writeFileSync(join(home, "job.json"), JSON.stringify(file));
    return "job.json";
  };
  /** A busy cluster is waited for, in lines of their own. */
  const run = async (...args: string[]) => {
    const { error, ...outcome } = await outcomeOf(start(args));
    return { ...outcome, error: error.replaceAll(/^slipway: Waiting for .*\n/gm, "") };
  };
  return { start, job, run };
}

it("runs jobs in the cluster with the commands for all jobs", { timeout: 120_000 }, async () => {
  const { run, job, start } = await userOf(await engineOfTest());
  const short = await run("run", "--engine", "kubernetes", job("echo out; echo err >&2; exit 3"));
  expect(short.out.split("\n").sort()).toEqual(["", "err", "out"]);
  expect(short.error).toMatch(/^slipway: job (k8s:job-[0-9a-f]{8})\nslipway: job \1 failed with status 3\n$/);
  expect(short.status).toBe(3);

  const detached = await outcomeOf(
    start(["run", "--detach", job("echo begun; while :; do busybox sleep 0.1; done")], {
      SLIPWAY_ENGINE: "kubernetes",
    }),
  );
  expect(detached).toEqual({ out: expect.stringMatching(/^k8s:job-[0-9a-f]{8}\n$/), error: "", status: 0 });
  const id = detached.out.trim();
  // An interrupt leaves it running.
  const following = start(["logs", "--follow", id]);
  following.stdout?.once("data", () => following.kill("SIGINT"));
  const left = await outcomeOf(following);
  expect(left.out).toBe("begun\n");
  expect(left.error).toContain(`job ${id} goes on. Return to it with \`slipway job logs --follow ${id}\``);
  expect(left.status).toBe(130);
  expect(await run("status", id)).toMatchObject({ out: `job ${id} is running\n`, status: 0 });
  const listed = await run("ls", "--json");
  expect(JSON.parse(listed.out)).toMatchObject([
    { state: "failed", exitStatus: 3 },
    { id, state: "running" },
  ]);
  expect(await run("rm", id)).toMatchObject({
    error: expect.stringMatching(new RegExp(`${id}[^]*\\[job-state\\]\n$`)),
    status: 2,
  });
  expect(await run("cancel", id)).toMatchObject({
    error: `slipway: job ${id} cancelled\n`,
    status: 0,
  });
  expect(await run("cancel", id)).toMatchObject({ error: expect.stringContaining("[job-state]"), status: 2 });
  expect((await run("prune", "--older-than", "0")).out.split("\n")).toContain(id);
  expect(await run("ls")).toEqual({ out: "", error: "There are no jobs.\n", status: 0 });
});

it("runs the items of a matrix, and names those that failed", { timeout: 120_000 }, async () => {
  const { run, job } = await userOf(await engineOfTest());
  const matrix = { A: [1, 2], B: ["x", "y"] };
  const file = job('echo "$A$B"; [ "$A$B" != 2x ] || exit 7', { matrix, parallelism: 4 });
  const { out, error, status } = await run("run", "--engine", "kubernetes", file);
  expect(out.split("\n").sort()).toEqual(["", "[0] 1x", "[1] 1y", "[2] 2x", "[3] 2y"]);
  const summary = "3 of 4 items succeeded, 1 failed\n  item 2 (A=2 B=x) failed with status 7\n";
  const [, id = ""] = /job (k8s:\S+)/.exec(error) ?? [];
  expect(error).toContain(`slipway: job ${id} failed: ${summary}`);
  expect(status).toBe(1);
  expect((await run("status", id)).out).toBe(`job ${id} failed: ${summary}`);
  expect((await run("logs", "--item", "2", id)).out).toBe("2x\n");
  expect((await run("ls")).out).toMatch(/ failed 4\/4 /);
});

it("schedules a job, runs it once, and pauses, resumes and removes its schedule", { timeout: 120_000 }, async () => {
  const { run, job } = await userOf(await engineOfTest());
  const scheduled = (words: string) => job(`echo ${words}`, { schedule: "0 3 * * *", time_zone: "UTC" });
  const made = await run("run", "--engine", "kubernetes", scheduled("one"));
  expect(made).toMatchObject({ out: "job\n", status: 0 });
  expect(made.error).toContain('slipway: schedule job created: "0 3 * * *" in UTC\n');
  const once = await run("run", "--engine", "kubernetes", "--once", scheduled("now"));
  expect(once).toMatchObject({ out: "now\n", status: 0 });
  expect((await run("schedule", "pause", "job")).error).toBe("slipway: schedule job is paused\n");
  const changed = await run("run", "--engine", "kubernetes", scheduled("two"));
  expect(changed.error).toContain("slipway: it is paused; `slipway job schedule resume job` lets it go on\n");
  expect((await run("schedule", "ls")).out).toMatch(/^NAME .*\njob +0 3 \* \* \* +UTC +paused +-\n$/);
  expect((await run("schedule", "resume", "job")).error).toBe("slipway: schedule job is active\n");
  expect((await run("schedule", "rm", "job")).error).toBe("slipway: schedule job removed\n");
  expect(await run("schedule", "rm", "job")).toMatchObject({
    error: expect.stringContaining("[job-not-found]"),
    status: 2,
  });
  expect(await run("schedule", "ls")).toEqual({ out: "", error: "There are no schedules.\n", status: 0 });
});

it("places a job, its items and its schedule as the configuration says of their instance type", {
  timeout: 120_000,
}, async () => {
  const cluster = await engineOfTest();
  const { run, job } = await userOf(cluster);
  const config = join(cluster.env["XDG_CONFIG_HOME"] ?? "", "slipway/config.yaml");
  const settings = JSON.parse(readFileSync(config, "utf8")) as object;
  const tolerations = [{ key: "example.com/spot", value: "yes" }];
  const nodeSelector = { "kubernetes.io/os": "linux" };
  const instanceTypes = { tiny: { cpu: 0.1, memory: "32MiB", spot: true, nodeSelector, tolerations } };
  writeFileSync(config, JSON.stringify({ ...settings, instanceTypes }));
  const typed = (more: object = {}) => job("echo ran", { resources: { instance_type: "tiny", cpu: 0.05 }, ...more });
  const limits = { cpu: "50m", memory: String(2 ** 25) };
  const tolerated = [{ key: "example.com/spot", operator: "Equal", value: "yes" }];
  const placed = { nodeSelector, tolerations: tolerated, containers: [{ resources: { limits, requests: limits } }] };

  expect(await run("run", "--engine", "kubernetes", typed())).toMatchObject({ out: "ran\n", status: 0 });
  expect(await run("run", "--engine", "kubernetes", typed({ matrix: { A: [1] } }))).toMatchObject({ status: 0 });
  expect(await run("run", "--engine", "kubernetes", typed({ schedule: "0 3 * * *" }))).toMatchObject({ status: 0 });
  const templates = (await cluster.jobs()).map(({ spec }) => spec.template.spec);
  expect(templates).toMatchObject([placed, placed]);
  const [scheduled] = await cluster.list<{ spec: { jobTemplate: Job } }>("cronjobs");
  expect(scheduled?.spec.jobTemplate.spec.template.spec).toMatchObject(placed);
});

it("refuses an engine that is not one for the job", async () => {
  const { run, job } = await userOf(await engineOfTest());
  expect(await run("run", "--engine", "process", job("true"))).toEqual({
    out: "",
    error: expect.stringMatching(/process.*\n.*container or kubernetes\. \[engine-unavailable\]\n$/),
    status: 2,
  });
});

it("lists the jobs of this machine although the cluster does not answer", async () => {
  const cluster = await engineOfTest();
  const { run, start } = await userOf(cluster);
  // Takes connections and says nothing.
  const server = createServer(() => {}).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const url = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  const kubeconfig = join(cluster.env["HOME"] ?? "", "silent");
  const config = {
    clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const { out, error, status } = await outcomeOf(start(["ls", "--json"], { KUBECONFIG: kubeconfig }));
  expect({ out, status }).toEqual({ out: "[]\n", status: 0 });
  expect(error).toContain("slipway: jobs on Kubernetes are left out: the cluster does not answer within 5 s\n");
  await until(async () => (await run("ls")).status === 0, "a cluster that answers");
});
