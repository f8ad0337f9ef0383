/** A year of rain. `bazel run //:main` computes in a container of this program's image, `bazel run //:main_local` here. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { containerImage, dataFile, hasContainerImage, inImage, main } from "slipway";
import { describeYear } from "./rain.ts";

const describe = inImage("describe", () => ({
  host: hostname(),
  year: describeYear(readFileSync(dataFile("rain.csv"), "utf8")),
}));

await main(async () => {
  const { host, year } = await describe();
  console.log(`image: ${hasContainerImage() ? containerImage() : "none"}`);
  console.log(`computed on: ${host}`);
  console.log(
    `rain: ${year.mean.toFixed(1)} ± ${year.deviation.toFixed(1)} mm a month, most in ${year.wettest.join(", ")}`,
  );
});
