/**
 * Squares many numbers, each in a container of its own, and says on standard output what that took. `one N` squares
 * one number here.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerImage, inImage, main, mapInImage } from "slipway";

const square = inImage("square", (n: number): number => {
  if (n % 97 === 96) throw new Error(`no square of ${n}`);
  return n * n;
});

await main(async () => {
  const [what, argument] = process.argv.slice(2);
  if (what === "one") return console.log(Number(argument) ** 2);
  const folder = mkdtempSync(join(tmpdir(), "squares-"));
  const answers = join(folder, "answers");
  const helper = process.env["SLIPWAY_ENGINE_HELPER"];
  // What the helper answers tells how often it asked the cluster.
  writeFileSync(join(folder, "helper"), `#!/bin/sh\n'${helper}' "$@" | tee '${answers}'\n`);
  chmodSync(join(folder, "helper"), 0o755);
  process.env["SLIPWAY_ENGINE_HELPER"] = join(folder, "helper");
  // The one that waits already would be asked otherwise.
  delete process.env["SLIPWAY_ENGINE_SOCKET"];
  let helperMemory = 0;
  const sampling = setInterval(() => {
    helperMemory = Math.max(helperMemory, memoryOfHelper());
  }, 500);

  const numbers = Array.from({ length: Number(what) }, (_, index) => index);
  const start = process.hrtime.bigint();
  const results = await mapInImage(numbers, square, { settled: true });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  clearInterval(sampling);

  const failed = results.flatMap(({ status }, index) => (status === "rejected" ? [index] : []));
  const isRight = results.every((each, n) =>
    each.status === "fulfilled"
      ? n % 97 !== 96 && each.value === n * n
      : n % 97 === 96 && String(each.reason) === `Error: no square of ${n}`,
  );
  const requests = process.env["SLIPWAY_ENGINE"] === "kubernetes" ? requestsIn(answers) : 0;
  rmSync(folder, { recursive: true });
  const memory = process.resourceUsage().maxRSS * 1024 + helperMemory;
  console.log(JSON.stringify({ image: containerImage(), seconds, memory, requests, failed: failed.length, isRight }));
});

function requestsIn(file: string): number {
  return Number(/"requests":(\d+)/.exec(readFileSync(file, "utf8"))?.[1]);
}

/** Most bytes that the helper has had in memory so far. */
function memoryOfHelper(): number {
  for (const pid of readdirSync("/proc")) {
    try {
      const isHelper = /\/engine_helper\.bundle\/[^\0]*\0calls\0/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      if (isHelper) {
        const kilobytes = /^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
        return Number(kilobytes) * 1024;
      }
    } catch {
      // No process, or one that has ended.
    }
  }
  return 0;
}
