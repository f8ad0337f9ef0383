import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { helperOfTest } from "../functions/testdata/helper.ts";
import { openRegistry } from "../registry/client/open.ts";
import { stateOfTest } from "../registry-server/testdata/fixture.ts";
import { serverProcess } from "../registry-server/testdata/process.ts";
import { runFiles } from "./testdata/files.ts";
import { pushFilesProgram } from "./testdata/files-image.ts";

const size = 3 * 2 ** 30;
/** Bytes of memory that any process may have: Node alone has some 60 MiB, and sources are compiled in each. */
const most = 250 * 2 ** 20;
const zeros = Buffer.alloc(1 << 20);

/** Peaks of this test's processes whose command line has a text, in bytes, by process. */
function watchPeaks(wanted: RegExp, state: string) {
  const peaks = new Map<string, number>();
  const timer = setInterval(() => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        if (!wanted.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"))) continue;
        // Other tests run the same programs.
        if (!readFileSync(`/proc/${pid}/environ`, "utf8").includes(state)) continue;
        const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
        peaks.set(pid, Math.max(peaks.get(pid) ?? 0, Number(kilobytes) * 1024));
      } catch {
        // It has ended.
      }
    }
  }, 100);
  return { peaks, stop: () => clearInterval(timer) };
}

it("hands 3 GiB through two steps with little memory, and stores it once", { timeout: 1_200_000 }, async () => {
  const { env, paths } = await stateOfTest();
  const { host } = await serverProcess({ ...env, PATH: process.env["PATH"] ?? "" });
  const image = await pushFilesProgram({ host, paths });
  const helper = helperOfTest();
  const variables = {
    ...env,
    SIZE: String(size),
    SLIPWAY_CONTAINER_IMAGE: image,
    SLIPWAY_ENGINE: "container",
    SLIPWAY_ENGINE_HELPER: helper,
    HOME: process.env["HOME"] ?? "",
  };
  const watched = watchPeaks(/helper-main\.ts.serve|registry-server\/main\.ts/, env["XDG_STATE_HOME"] as string);
  const { result, err } = await runFiles("zeros", variables);
  watched.stop();
  const hash = createHash("sha256");
  for (let at = 0; at < size; at += zeros.length) hash.update(zeros);
  const hex = hash.digest("hex");
  expect(result, err).toMatchObject({ size, seen: size, digest: `sha256:${hex}` });
  console.log(JSON.stringify({ ...result, others: [...watched.peaks.values()] }));
  expect(watched.peaks.size).toBe(2);
  for (const peak of [result.peak, result.peakOfFunction, ...watched.peaks.values()]) expect(peak).toBeLessThan(most);

  const data = readdirSync(paths.data, { recursive: true, encoding: "utf8" }).map((name) =>
    statSync(join(paths.data, name)),
  );
  expect(data.filter((status) => status.isFile() && status.size === size)).toHaveLength(1);
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  expect(await client.headBlob("test/files", `sha256:${hex}`)).toBe(size);
  client.close();
});
