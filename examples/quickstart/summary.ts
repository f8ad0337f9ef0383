import { linearRegression, linearRegressionLine, mean, median, quantile, rSquared } from "simple-statistics";
import type { Call } from "./arrivals.ts";

/** What a month was like for one type of ship. Times are hours. */
export type TypeSummary = {
  readonly type: string;
  readonly calls: number;
  readonly tonnes: number;
  readonly medianWait: number;
  readonly longWait: number;
  readonly meanStay: number;
};

/** How long a ship stays for its cargo: hours that every ship needs, hours per 1000 t, and how much of the variation that explains. */
export type Handling = { readonly fixed: number; readonly perThousandTonnes: number; readonly explained: number };

/** Waiting at anchor (median, and what one ship in ten exceeds) and time at berth, by type of ship, the busiest first. */
export function summarizeByType(calls: readonly Call[]): TypeSummary[] {
  const types = Object.entries(Object.groupBy(calls, ({ type }) => type));
  return types
    .map(([type, ofType = []]) => {
      const waits = ofType.flatMap(({ arrived, berthed }) => (berthed === undefined ? [] : [berthed - arrived]));
      const stays = ofType.flatMap((call) => stayOf(call) ?? []);
      return {
        type,
        calls: ofType.length,
        tonnes: ofType.reduce((sum, { tonnes }) => sum + tonnes, 0),
        medianWait: median(waits),
        longWait: quantile(waits, 0.9),
        meanStay: mean(stays),
      };
    })
    .sort((a, b) => b.calls - a.calls);
}

/** Fits the time at berth to the cargo, over the calls that are over. */
export function fitHandling(calls: readonly Call[]): Handling {
  const points = calls.flatMap((call) => {
    const stay = stayOf(call);
    return stay === undefined ? [] : [[call.tonnes / 1000, stay]];
  });
  const { m, b } = linearRegression(points);
  return { fixed: b, perThousandTonnes: m, explained: rSquared(points, linearRegressionLine({ m, b })) };
}

function stayOf({ berthed, departed }: Call): number | undefined {
  return berthed === undefined || departed === undefined ? undefined : departed - berthed;
}
