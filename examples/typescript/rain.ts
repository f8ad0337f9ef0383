import { parse } from "csv-parse/sync";
import { max, mean, standardDeviation } from "simple-statistics";

interface Month {
  readonly month: string;
  readonly millimetres: number;
}

/** What a year of rain comes to; `text` has a month and its millimetres on every line. */
export function describeYear(text: string) {
  const months = parse<Month>(text, { columns: true, cast: true });
  const amounts = months.map(({ millimetres }) => millimetres);
  const most = max(amounts);
  return {
    mean: mean(amounts),
    deviation: standardDeviation(amounts),
    wettest: months.filter(({ millimetres }) => millimetres === most).map(({ month }) => month),
  };
}
