import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL("../../src", import.meta.url));

/**
 * What reads all of a body, an output or a compressed text into memory, however long it is. `readWhole` has a limit.
 */
const unbounded = [
  /\.(arrayBuffer|blob|bytes|formData)\(\)/,
  /\b(response|body|answer|reply)\w*\.(text|json)\(\)/,
  /node:stream\/consumers/,
  /\b(gunzip|inflate|inflateRaw|unzip|brotliDecompress|zstdDecompress)Sync\((?!.*maxOutputLength)/,
  /maxBuffer: (Number|Infinity)/,
];

/** Lines that may. Each says why. */
const allowed: Readonly<Record<string, string>> = {
  "cli/ui/page/api.ts": "the page in a browser, which reads from its own server",
  "config/read-document.ts": "a file of which no more than the limit is opened",
  "jobs/answer-job.ts": "the program that asks for a job",
  "registry-server/client.ts": "the embedded registry of this user, over its socket",
};

it("nothing reads foreign bytes without a limit", () => {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (file) => /\.m?ts$/.test(file) && !/\.test\.ts$|(^|\/)testdata\//.test(file),
  );
  const found = files.flatMap((file) => {
    const lines = readFileSync(join(source, file), "utf8").split("\n");
    return lines.flatMap((line, index) =>
      unbounded.some((each) => each.test(line)) ? [{ file, at: `${file}:${index + 1}: ${line.trim()}` }] : [],
    );
  });
  expect(found.filter(({ file }) => !(file in allowed)).map(({ at }) => at)).toEqual([]);
  // An entry that nothing needs hides the next fault.
  expect(Object.keys(allowed).filter((file) => !found.some((each) => each.file === file))).toEqual([]);
});
