import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";

const program = join(import.meta.dirname, "count-results.mjs");

/** The result of a target's attempt; other events of Bazel are written as they are. */
interface Attempt {
  readonly label: string;
  readonly status: string;
  /** The bodies of its `testcase` elements; none: there is no test.xml. */
  readonly cases?: readonly string[];
}

/** What the program says of these runs of Bazel, each a list of the events in their order. */
async function count(
  ...runs: readonly (readonly (Attempt | object)[])[]
): Promise<{ lines: string[]; status: number }> {
  const folder = await mkdtemp(join(tmpdir(), "count-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  let files = 0;
  const eventOf = async (entry: Attempt | object): Promise<object> => {
    if (!("label" in entry)) return entry;
    const xml = join(folder, `${files++}.xml`);
    const cases = entry.cases?.map((body) => `<testcase name="it">${body}</testcase>`);
    if (cases) await writeFile(xml, `<testsuites><testsuite>${cases.join("")}</testsuite></testsuites>`);
    const testActionOutput = cases ? [{ name: "test.xml", uri: pathToFileURL(xml).href }] : [];
    return { id: { testResult: { label: entry.label } }, testResult: { status: entry.status, testActionOutput } };
  };
  const paths: string[] = [];
  for (const [index, run] of runs.entries()) {
    const events = await Promise.all(run.map(eventOf));
    paths.push(join(folder, `${index}.json`));
    await writeFile(paths[index] as string, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...paths], (_, stdout) =>
      resolve({ lines: stdout.trim().split("\n"), status: child.exitCode ?? -1 }),
    );
  });
}

describe("count_results", () => {
  it("counts cases, and fails where one failed", async () => {
    expect(await count([{ label: "//:a", status: "PASSED", cases: ["", "<skipped/>"] }])).toEqual({
      lines: ["1 passed, 0 failed, 1 skipped"],
      status: 0,
    });
    expect(await count([{ label: "//:a", status: "FAILED", cases: ["", "<failure/>"] }])).toEqual({
      lines: ["failed: //:a", "1 passed, 1 failed, 0 skipped"],
      status: 1,
    });
  });

  it("counts a target without cases as one", async () => {
    expect((await count([{ label: "//:a", status: "PASSED" }])).lines).toEqual(["1 passed, 0 failed, 0 skipped"]);
    expect((await count([{ label: "//:a", status: "TIMEOUT" }])).status).toBe(1);
  });

  it("takes the last run of a target, and a result from the cache that had needed two attempts as passed", async () => {
    const failed = { label: "//:a", status: "FAILED", cases: ["<failure/>"] };
    const passed = { label: "//:a", status: "PASSED", cases: [""] };
    const cached = { label: "//:a", status: "FLAKY", cases: [""] };
    expect((await count([failed, passed], [cached])).lines).toEqual(["1 passed, 0 failed, 0 skipped"]);
    expect((await count([passed], [failed])).status).toBe(1);
  });

  it("counts a target that this machine cannot run as skipped, and a run of nothing as failed", async () => {
    const label = "//:a";
    const skipped = [
      { id: { targetConfigured: { label } }, configured: { targetKind: "vitest_test rule" } },
      { id: { targetCompleted: { label } }, aborted: { reason: "SKIPPED" } },
    ];
    expect((await count(skipped)).lines).toEqual(["0 passed, 0 failed, 1 skipped"]);
    expect((await count([])).status).toBe(1);
  });
});
