/**
 * A month at a port: how long ships waited, and how long their cargo took. `bazel run //examples/quickstart:report` puts this program into
 * its images and pushes them; the functions below then run inside those images. With `report_local` they run on this machine.
 */
import { readFileSync } from "node:fs";
import { containerImage, dataFile, hasContainerImage, inImage, main } from "slipway";
import { readArrivals } from "./arrivals.ts";
import { describePlace } from "./place.ts";
import { fitHandling, summarizeByType } from "./summary.ts";
import { formatTable } from "./table.ts";

function arrivals() {
  return readArrivals(readFileSync(dataFile("examples/quickstart/arrivals.csv"), "utf8"));
}

const summarize = inImage("summarize", () => ({ ranIn: describePlace(), types: summarizeByType(arrivals()) }));

// The same program in another image of the pipeline: `bases` has a smaller one under this tag.
const fit = inImage(
  "fit",
  (type: string) => {
    const calls = arrivals().filter((call) => call.type === type);
    return { ranIn: describePlace(), handling: fitHandling(calls) };
  },
  { tag: "slim" },
);

const help = `A month at a port: how long ships waited, and how long their cargo took.

Options:
  --help  Show this text
`;

await main(async () => {
  if (process.argv.includes("--help")) return void process.stdout.write(help);
  console.log(`image: ${hasContainerImage() ? containerImage() : "none (the program was started without one)"}`);
  const [{ ranIn, types }, { ranIn: alsoRanIn, handling }] = await Promise.all([summarize(), fit("container")]);

  console.log(`summarized in: ${ranIn}`);
  console.log(`fitted in: ${alsoRanIn}\n`);
  const headings = ["type", "calls", "tonnes", "median wait, h", "1 in 10 waits, h", "mean stay, h"];
  const rows = types.map(({ type, calls, tonnes, medianWait, longWait, meanStay }) => {
    return [type, `${calls}`, `${tonnes}`, ...[medianWait, longWait, meanStay].map((hours) => hours.toFixed(1))];
  });
  console.log(formatTable(headings, rows));
  const { fixed, perThousandTonnes, explained } = handling;
  const percent = Math.round(explained * 100);
  console.log(
    `\ncontainer ships at berth: ${fixed.toFixed(1)} h + ${perThousandTonnes.toFixed(2)} h per 1000 t (explains ${percent} %)`,
  );
});
