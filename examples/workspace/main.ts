/** A program of a workspace without MODULE.bazel: the same rules, the same SDK. */
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { containerImage, dataFile, hasContainerImage, inImage, main } from "slipway";

const count = inImage("count", () => parse(readFileSync(dataFile("words.csv"), "utf8")).flat().length, { tag: "slim" });

await main(async () => {
  console.log(`image: ${hasContainerImage() ? containerImage() : "none"}`);
  console.log(`words: ${await count()}`);
});
