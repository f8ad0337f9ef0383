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
 * Every place where an image, or a result that someone may have stored, is used. A new one is either behind `runnableImage`, and then gets its line
 * here, or it is a way around the rules of the configuration file.
 */
describe("the rules for images are asked", () => {
  it("by one function alone", () => {
    expect(filesWith(/\brequireSignature\(/)).toEqual([
      "registry/signatures/rules.ts",
      "registry/signatures/runnable-image.ts",
    ]);
  });

  it("and nothing else makes an image that may run", () => {
    expect(filesWith(/\bas RunnableImage\b/)).toEqual([
      // Where no file has rules.
      "engine/calls/helper.ts",
      "registry/signatures/runnable-image.ts",
    ]);
    // What this process has made of one that may run.
    expect(filesWith(/\bownImage\(/)).toEqual(["registry/append.ts", "registry/signatures/runnable-image.ts"]);
  });

  it("at each door", () => {
    const doors = filesWith(/\b(runnableImage|ifRunnable|allowedByHelper|isRestricted)\(/);
    expect(doors.filter((file) => !file.startsWith("registry/signatures/"))).toEqual([
      // Jobs, also scheduled ones, and their code on top of the image.
      "cli/commands/job-run.ts",
      "engine/calls/helper-main.ts",
      "engine/calls/helper.ts",
      // Kept results.
      "engine/calls/keep.ts",
      // Functions.
      "engine/calls/kubernetes.ts",
      "engine/calls/open-engine.ts",
      "engine/job/interpreter.ts",
      "environment/image.ts",
      // Base images.
      "registry/base/pull.ts",
      "sdk/call-engine.ts",
      // Rollback and restart.
      "service/container/go-back.ts",
      "service/kubernetes/history.ts",
      "service/resolve.ts",
    ]);
  });
});

describe("what starts an image", () => {
  it("takes one that may run, by its type", () => {
    const typed: readonly (readonly [string, RegExp])[] = [
      ["engine/engine.ts", /readonly image: RunnableImage;/],
      ["engine/job/program.ts", /readonly image\?: RunnableImage;/],
      ["engine/job/place-code.ts", /placeCode\(\s*image: RunnableImage,/],
      ["engine/kubernetes/job.ts", /^ {2}image: RunnableImage,/m],
      ["engine/calls/indexed-job.ts", /^ {2}image: RunnableImage,/m],
      ["registry/append.ts", /readonly image: RunnableImage;/],
      ["environment/image.ts", /readonly base: RunnableImage;/],
    ];
    for (const [file, pattern] of typed) expect([file, pattern.test(texts.get(file) ?? "")]).toEqual([file, true]);
  });

  it("is one of these", () => {
    expect(filesWith(/\brunContainer\(/)).toEqual([
      "engine/calls/local.ts",
      "engine/container/run.ts",
      "engine/job/supervise.ts",
    ]);
    expect(filesWith(/\b(jobObjects|indexedJob)\(/)).toEqual([
      "engine/calls/indexed-job.ts",
      "engine/calls/kubernetes.ts",
      "engine/kubernetes/job.ts",
      "engine/kubernetes/submit.ts",
    ]);
    expect(filesWith(/\b(applyService|resume)\(/).filter((file) => file.startsWith("service/container/"))).toEqual([
      "service/container/apply-file.ts",
      "service/container/apply.ts",
      "service/container/containers.ts",
      "service/container/go-back.ts",
    ]);
    expect(filesWith(/new ResultIndex\(/)).toEqual(["engine/calls/keep.ts"]);
  });
});
