import { expect, it } from "vitest";
import { layOut, nodeSize } from "./graph.ts";

const step = (id: string, ...after: string[]) => ({
  id,
  name: id,
  after,
  items: 0,
  isMap: false,
  started: 0,
  calls: [],
});

it("places each step to the right of those that it takes results of, and none on another", () => {
  const steps = [
    step("load"),
    step("split", "load"),
    step("fit", "split", "load"),
    step("other"),
    step("best", "fit", "gone"),
  ];
  const { nodes, edges, width, height } = layOut(steps);
  const x = (id: string) => nodes.find(({ batch }) => batch.id === id)?.x ?? Number.NaN;
  expect(edges.map(({ from, to }) => `${from.batch.id} ${to.batch.id}`)).toEqual([
    "load split",
    "split fit",
    "load fit",
    "fit best",
  ]);
  for (const { from, to } of edges) expect(from.x + nodeSize.width).toBeLessThan(to.x);
  expect(x("other")).toBe(x("load"));
  for (const { x, y, batch } of nodes) {
    expect(x + nodeSize.width).toBeLessThan(width);
    expect(y + nodeSize.height).toBeLessThan(height);
    for (const other of nodes)
      if (other.x === x && other.batch !== batch) expect(Math.abs(other.y - y)).toBeGreaterThan(nodeSize.height);
  }
});

it("takes a run without steps, and one with a step that names itself", () => {
  expect(layOut([]).nodes).toEqual([]);
  expect(layOut([step("a", "a")]).edges).toEqual([]);
});
