import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { installProgram } from "./program.ts";
import { stateOfTest } from "./testdata/fixture.ts";

async function machine() {
  const { paths } = await stateOfTest();
  await mkdir(paths.programs, { recursive: true });
  const source = join(paths.folder, "node");
  await writeFile(source, Buffer.alloc(10_000_000, "node"));
  return { source, folder: paths.programs };
}

it("is copied once by those who start at once, and what an interrupted copy left is removed", async () => {
  const { source, folder } = await machine();
  await writeFile(join(folder, ".5f6b"), Buffer.alloc(1000));
  const most: number[] = [];
  const installing = Promise.all(Array.from({ length: 8 }, () => installProgram(source, folder, "node-*")));
  let isDone = false;
  const ended = installing.finally(() => {
    isDone = true;
  });
  while (!isDone) most.push((await readdir(folder)).length);
  const [path = "", ...others] = await ended;
  expect(new Set(others)).toEqual(new Set([path]));
  expect(await readdir(folder)).toEqual([path.slice(folder.length + 1)]);
  expect((await readFile(path)).equals(await readFile(source))).toBe(true);
  // At most one copy was under way, beside what was left and the copy that is whole.
  expect(Math.max(...most)).toBeLessThanOrEqual(2);
});
