import type { Result } from "./measure.ts";

/** The results as a table in Markdown. */
export function table(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const peers = Object.entries(result.peers).map(([name, seconds]) => `${name}: ${seconds.toFixed(3)}`);
    const counts = Object.entries(result.counts ?? {}).map(([name, count]) => `${name}: ${count}`);
    const timed = result.median_s > 0;
    return [
      result.case,
      timed ? result.median_s.toFixed(3) : "",
      timed ? result.floor_s.toFixed(3) : "",
      result.ratio.toFixed(2),
      `${result.goal}: ${result.reached ? "reached" : "not reached"}`,
      [...peers, ...counts].join("; "),
    ];
  });
  const head = ["case", "s", "floor, s", "ratio", "goal", "peers (s) and counts"];
  return [head, head.map(() => "---"), ...rows.map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")))]
    .map((cells) => `| ${cells.join(" | ")} |\n`)
    .join("");
}
