import { UserError } from "../../src/core/errors.ts";

const noVersion = /^# Without a version: .*\nmodule\(\n {4}name = "slipway",\n/m;
const marker = /^# Below this line: /m;

/**
 * MODULE.bazel of a release: with its version, and without what is there for this repository alone.
 *
 * @throws UserError when the file has not the lines that this goes by
 */
export function stampModule(text: string, version: string): string {
  const end = text.search(marker);
  if (!noVersion.test(text) || end < 0) {
    throw new UserError(
      { code: "file-invalid", culprit: "MODULE.bazel" },
      'MODULE.bazel has no module without a version under "# Without a version: …", or no line "# Below this line: …".',
      "Put them back, or change tools/release/stamp-module.ts with them.",
    );
  }
  return `${text
    .slice(0, end)
    .replace(noVersion, () => `module(\n    name = "slipway",\n    version = ${JSON.stringify(version)},\n`)
    .trimEnd()}\n`;
}
