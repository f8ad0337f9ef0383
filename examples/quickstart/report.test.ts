import { describe, expect, it, vi } from "vitest";
import { type Call, readArrivals } from "./arrivals.ts";
import { fitHandling, summarizeByType } from "./summary.ts";
import { formatTable } from "./table.ts";

const header = "arrived,berthed,departed,vessel,type,flag,berth,tonnes";

function call(type: string, wait: number, stay: number | undefined, tonnes = 1000): Call {
  return {
    vessel: "Petrel",
    type,
    arrived: 0,
    berthed: wait,
    departed: stay === undefined ? undefined : wait + stay,
    tonnes,
  };
}

describe("the program", () => {
  it("prints its help, and computes nothing", async () => {
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    process.argv.push("--help");
    await import("./report.ts");
    const text = write.mock.calls.join("");
    write.mockRestore();
    expect(text).toMatch(/^A month at a port: .*\n\nOptions:\n {2}--help /);
  });
});

describe("readArrivals", () => {
  it("reads times in hours, and leaves out what has not happened", () => {
    const [call] = readArrivals(`${header}\n1970-01-02T00:00Z,1970-01-02T01:30Z,,Petrel,bulk,NO,B1,12000\n`);
    expect(call).toEqual({
      vessel: "Petrel",
      type: "bulk",
      arrived: 24,
      berthed: 25.5,
      departed: undefined,
      tonnes: 12000,
    });
  });

  it("names the line of what is no time and no number", () => {
    expect(() => readArrivals(`${header}\nsoon,,,Petrel,bulk,NO,B1,1\n`)).toThrow('arrivals.csv:2: arrived is "soon"');
    expect(() => readArrivals(`${header}\n1970-01-01T00:00Z,,,Petrel,bulk,NO,B1,\n`)).toThrow(
      'arrivals.csv:2: tonnes is ""',
    );
  });
});

describe("summarizeByType", () => {
  it("puts the busiest type first, and counts ships still at berth but not their stay", () => {
    const calls = [call("tanker", 9, 5), call("bulk", 2, 10), call("bulk", 4, undefined), call("bulk", 6, 20)];
    expect(summarizeByType(calls)).toEqual([
      { type: "bulk", calls: 3, tonnes: 3000, medianWait: 4, longWait: 5.6, meanStay: 15 },
      { type: "tanker", calls: 1, tonnes: 1000, medianWait: 9, longWait: 9, meanStay: 5 },
    ]);
  });
});

describe("fitHandling", () => {
  it("finds the line through stays that lie on one", () => {
    const fit = fitHandling([1000, 2000, 5000].map((tonnes) => call("bulk", 1, 3 + tonnes / 500, tonnes)));
    expect(fit.fixed).toBeCloseTo(3);
    expect(fit.perThousandTonnes).toBeCloseTo(2);
    expect(fit.explained).toBeCloseTo(1);
  });
});

describe("formatTable", () => {
  it("lines up text to the left and numbers to the right", () => {
    expect(
      formatTable(
        ["type", "n"],
        [
          ["bulk", "5"],
          ["ro-ro", "120"],
        ],
      ),
    ).toBe("type     n\nbulk     5\nro-ro  120");
  });
});
