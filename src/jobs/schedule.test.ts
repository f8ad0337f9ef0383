import { expect, it } from "vitest";
import { scheduleMistake, timeZoneMistake } from "./schedule.ts";

it.each(["0 3 * * *", "*/15 0-6/2 1,15 JAN-mar MON-FRI", "59 23 31 12 6", "  0  3\t* * 0 ", "5/10 * * * *"])(
  "takes the schedule %j",
  (text) => {
    expect(scheduleMistake(text)).toBeUndefined();
  },
);

it.each([
  ["", "not a schedule"],
  ["@daily", "not a schedule"],
  ["0 3 * *", "not a schedule"],
  ["60 3 * * *", "minute"],
  ["*/0 3 * * *", "minute"],
  ["5-1 3 * * *", "minute"],
  ["1,,2 3 * * *", "minute"],
  ["*-3 3 * * *", "minute"],
  ["0 24 * * *", "hour"],
  ["0 3 0 * *", "day of the month"],
  ["0 3 * 13 *", "month"],
  ["0 3 * MON *", "month"],
  ["0 3 * * 7", "day of the week"],
  ["0 3 * * -1", "day of the week"],
])("refuses the schedule %j: %s", (text, problem) => {
  expect(scheduleMistake(text)?.[0]).toContain(problem);
});

it("takes names of time zones, and no others", () => {
  for (const name of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+1"]) {
    expect(timeZoneMistake(name)).toBeUndefined();
  }
  for (const name of ["", "Local", "+01:00", "Europe/Nowhere", "berlin"]) expect(timeZoneMistake(name)).toBeDefined();
});
