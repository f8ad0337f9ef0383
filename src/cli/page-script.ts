import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Failure } from "../core/errors.ts";

/** Beside the bundle of the command line, as the build puts it. */
const file = fileURLToPath(new URL("../ui_page.mjs", import.meta.url));

export async function pageScript(): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Failure(
      { code: "installation-failed", culprit: file },
      "This slipway runs from its sources, so it has no page.",
      "Run it with `bazel run @slipway//:slipway -- COMMAND`.",
      { cause },
    );
  });
}
