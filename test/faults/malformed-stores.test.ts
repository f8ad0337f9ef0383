import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeRegistryFolders, registryPaths } from "../../src/registry-server/paths.ts";
import { faults, writeMalformed } from "./testdata/malformed-store.ts";
import { oneOf, randomFrom, seedOfTest } from "./testdata/seeds.ts";
import { problemOf, Victim } from "./testdata/victim.ts";

/** Stores with two faults, besides one store for each fault. */
const pairs = 40;
const count = faults.length + pairs;
// The time is for what hangs.
const limits = { memory: 256, seconds: 120 };

it(`${count} malformed stores end every command that reads them with a status and a sentence`, async () => {
  // The same stores in every run: a new fault is no noise of an unrelated change.
  const first = seedOfTest(4_418_432);
  const victim = new Victim("malformed-victim.ts", { NO_COLOR: "1", HOME: "/nowhere" }, limits);
  const problems: object[] = [];
  let [peak, operations] = [0, 0];
  for (let seed = first; seed < first + count; seed++) {
    const random = randomFrom(seed);
    const single = faults[seed - first];
    const wrong = single ? [single] : [oneOf(random, faults), oneOf(random, faults)];
    const folder = mkdtempSync(join(tmpdir(), "slipway-malformed-"));
    const paths = registryPaths({ XDG_STATE_HOME: folder });
    await makeRegistryFolders(paths);
    writeMalformed(paths.data, random, wrong);
    for (const outcome of await victim.run({ seed, folder })) {
      operations += 1;
      peak = Math.max(peak, outcome.peak);
      const problem = problemOf(outcome, limits);
      if (problem === undefined) continue;
      problems.push({ seed, wrong: wrong.map(({ name }) => name), what: outcome.what, problem });
      console.log(JSON.stringify(problems.at(-1)));
    }
    rmSync(folder, { recursive: true });
  }
  console.log(JSON.stringify({ stores: count, operations, peak_mib: Math.round(peak), problems: problems.length }));
  expect(problems).toEqual([]);
  expect(operations).toBeGreaterThan(5 * count);
}, 3_300_000);
