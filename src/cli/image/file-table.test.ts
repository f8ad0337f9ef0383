import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FileTable } from "./file-table.ts";

it("finds what was not removed, in the order in which it came", () => {
  const table = new FileTable(0);
  const root = table.root();
  const names = () => [...table.children(root)].map((node) => table.name(node));
  for (const name of ["a", "b", "c", "ü"]) table.file(root, name);
  table.file(table.folder(root, "b"), "below");
  expect(names()).toEqual(["a", "c", "ü", "b"]);
  expect(table.find(table.find(root, "b"), "below")).not.toBe(0);
  for (const node of table.children(root)) if (table.name(node) !== "ü") table.remove(node);
  expect(names()).toEqual(["ü"]);
  expect(table.find(root, "b")).toBe(0);
  const again = table.folder(root, "b");
  expect([...table.children(again)]).toEqual([]);
  table.file(root, "d");
  expect(names()).toEqual(["ü", "b", "d"]);
});

it("keeps texts apart from names, and frees all when it is closed", () => {
  const table = new FileTable(1);
  const root = table.root();
  const [one, other] = [table.keep("../target"), table.keep("cut\0short")];
  table.file(root, "a");
  expect([table.text(one), table.text(other), table.name(table.find(root, "a"))]).toEqual(["../target", "cut", "a"]);
  const column = table.column(Uint8Array);
  table.close();
  expect(column.length).toBe(0);
});

it("takes no memory of the tables before it, also where none is closed", () => {
  const script = `
    import { readFileSync } from "node:fs";
    import { setTimeout } from "node:timers/promises";
    import { FileTable } from ${JSON.stringify(join(import.meta.dirname, "file-table.ts"))};
    const open = async () => {
      const table = new FileTable(17);
      for (const kind of [Uint8Array, Uint16Array, Uint32Array, Uint32Array, Uint16Array, Uint32Array]) table.column(kind);
      table.file(table.root(), "a");
      gc();
      // V8 frees in another thread.
      await setTimeout(20);
    };
    const resident = () => Number(/VmRSS:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
    await open();
    const before = resident();
    for (let count = 0; count < 10; count++) await open();
    console.log(resident() - before);`;
  const mebibytes = execFileSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", script]);
  expect(Number(mebibytes)).toBeLessThan(40);
});
