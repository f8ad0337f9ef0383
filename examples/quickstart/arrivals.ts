import { parse } from "csv-parse/sync";

/** One call of a ship at the port. Times are hours since the epoch; what has not happened yet is undefined. */
export type Call = {
  readonly vessel: string;
  readonly type: string;
  readonly arrived: number;
  readonly berthed: number | undefined;
  readonly departed: number | undefined;
  readonly tonnes: number;
};

/** Reads the port's log: a header, then one line per call. An error names the line. */
export function readArrivals(csv: string): Call[] {
  const rows = parse(csv, { columns: true, trim: true, info: true }) as unknown as {
    record: Record<string, string>;
    info: { lines: number };
  }[];
  return rows.map(({ record, info }) => {
    const text = (column: string) => {
      const value = record[column];
      if (value === undefined) throw new Error(`arrivals.csv has no column ${column}`);
      return value;
    };
    const number = (column: string, value: number) => {
      if (Number.isNaN(value))
        throw new Error(`arrivals.csv:${info.lines}: ${column} is ${JSON.stringify(text(column))}`);
      return value;
    };
    const hours = (column: string) => number(column, Date.parse(text(column)) / 3_600_000);
    const laterHours = (column: string) => (text(column) === "" ? undefined : hours(column));
    return {
      vessel: text("vessel"),
      type: text("type"),
      arrived: hours("arrived"),
      berthed: laterHours("berthed"),
      departed: laterHours("departed"),
      tonnes: number("tonnes", Number(text("tonnes") || Number.NaN)),
    };
  });
}
