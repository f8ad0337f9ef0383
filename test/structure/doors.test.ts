import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const source = fileURLToPath(new URL("../../src", import.meta.url));
const texts = new Map(
  readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.includes("testdata/"))
    .map((file) => [file, readFileSync(join(source, file), "utf8")] as const),
);

/** The files whose text has a match, without comments. */
function filesWith(pattern: RegExp): string[] {
  const code = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
  return [...texts]
    .filter(([, text]) => pattern.test(code(text)))
    .map(([file]) => file)
    .sort();
}

/**
 * Every place where an image, or a result that someone may have stored, is used. A new one is either behind
 * `runnableImage`, and then gets its line
 * here, or it is a way around the rules of the configuration file.
 */
describe("the rules for images are asked", () => {
  it("by one function alone", () => {
    expect(filesWith(/\brequireSignature\(/)).toEqual(["signatures/rules.ts", "signatures/runnable-image.ts"]);
  });

  it("and nothing else makes an image that may run", () => {
    // What `slipway doctor` has made from nothing.
    expect(filesWith(/\bas RunnableImage\b/)).toEqual(["cli/doctor/engine.ts", "signatures/runnable-image.ts"]);
    // What this process has made of one that may run.
    expect(filesWith(/\bownImage\(/)).toEqual(["signatures/append.ts", "signatures/runnable-image.ts"]);
  });

  it("at each door", () => {
    const doors = filesWith(/\b(runnableImage|requireRunnable|ifRunnable|isRestricted)\(/);
    expect(doors.filter((file) => !file.startsWith("signatures/"))).toEqual([
      // Base images.
      "build/pull/pull.ts",
      // Functions.
      "functions/container-workers.ts",
      // Kept results.
      "functions/keep.ts",
      "functions/pod-workers.ts",
      "jobs/interpreter.ts",
      // Schedules that are resumed.
      "jobs/kubernetes/schedule.ts",
      // Programs in their own image.
      "jobs/run-image.ts",
      // Jobs, also scheduled ones, and their code on top of the image.
      "jobs/run-job.ts",
      "kubernetes/runnable-pod.ts",
      "python-environments/image.ts",
      // Rollback and restart.
      "services/container/apply-file.ts",
      // What a failed apply starts again.
      "services/container/containers.ts",
      "services/kubernetes/history.ts",
      "services/kubernetes/roll-out.ts",
      "services/resolve.ts",
      // A sync image that the user names.
      "services/sync-image.ts",
    ]);
  });
});

describe("what starts an image", () => {
  it("takes one that may run, by its type", () => {
    const typed: readonly (readonly [string, RegExp])[] = [
      ["containers/run-description.ts", /readonly image: RunnableImage;/],
      ["jobs/program.ts", /readonly image\?: RunnableImage;/],
      ["jobs/place-code.ts", /placeCode\(\s*image: RunnableImage,/],
      ["jobs/kubernetes/job.ts", /^ {2}image: RunnableImage,/m],
      ["functions/worker-job.ts", /readonly image: RunnableImage;/],
      ["signatures/append.ts", /readonly image: RunnableImage;/],
      ["python-environments/image.ts", /readonly base: RunnableImage;/],
    ];
    for (const [file, pattern] of typed) expect([file, pattern.test(texts.get(file) ?? "")]).toEqual([file, true]);
  });

  it("is one of these", () => {
    expect(filesWith(/\brunContainer\(/)).toEqual([
      "cli/doctor/engine.ts",
      "containers/run.ts",
      "functions/container-workers.ts",
      "jobs/run-image.ts",
      "jobs/supervise.ts",
    ]);
    expect(filesWith(/\b(jobObjects|workerJob)\(/)).toEqual([
      "functions/pod-group.ts",
      "functions/worker-job.ts",
      "jobs/kubernetes/job.ts",
      "jobs/kubernetes/submit.ts",
    ]);
    expect(filesWith(/\b(applyService|resume)\(/).filter((file) => file.startsWith("services/container/"))).toEqual([
      "services/container/apply-file.ts",
      "services/container/apply.ts",
      "services/container/containers.ts",
    ]);
    expect(filesWith(/new ResultIndex\(/)).toEqual(["functions/keep.ts"]);
  });
});
