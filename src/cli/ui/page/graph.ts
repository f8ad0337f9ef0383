import type { RunBatch } from "../../../runs/fold.ts";

export interface Node {
  readonly batch: RunBatch;
  readonly x: number;
  readonly y: number;
}

export interface Edge {
  readonly from: Node;
  readonly to: Node;
  /** How far below its steps it runs, since others are between them. */
  readonly dip: number;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  readonly width: number;
  readonly height: number;
}

export const nodeSize = { width: 180, height: 44 } as const;
const gap = { x: 56, y: 14 } as const;

/** Each step is to the right of all whose results it takes. */
export function layOut(batches: readonly RunBatch[]): Graph {
  const nodes = new Map<string, Node>();
  const columns = new Map<string, number>();
  const rows: number[] = [];
  for (const batch of batches) {
    const before = batch.after.flatMap((id) => columns.get(id) ?? []);
    const column = before.length === 0 ? 0 : Math.max(...before) + 1;
    const row = rows[column] ?? 0;
    rows[column] = row + 1;
    columns.set(batch.id, column);
    const [x, y] = [column * (nodeSize.width + gap.x), row * (nodeSize.height + gap.y)];
    nodes.set(batch.id, { batch, x: x + gap.y, y: y + gap.y });
  }
  const edges = [...nodes.values()].flatMap((to) =>
    to.batch.after.flatMap((id) => {
      const from = nodes.get(id);
      if (!from || from === to) return [];
      const isLong = to.x - from.x > nodeSize.width + gap.x;
      return [{ from, to, dip: isLong ? nodeSize.height : 0 }];
    }),
  );
  return {
    nodes: [...nodes.values()],
    edges,
    width: rows.length * (nodeSize.width + gap.x) - gap.x + 2 * gap.y,
    height: Math.max(0, ...rows) * (nodeSize.height + gap.y) + gap.y + Math.max(0, ...edges.map(({ dip }) => dip / 2)),
  };
}
