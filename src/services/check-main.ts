import { writeFileSync } from "node:fs";
import process from "node:process";
import { readDocument } from "../config/read-document.ts";
import { exitStatusOf, reportOf } from "../core/errors.ts";
import { escapeText } from "../core/printable.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { parseDeployment } from "../jobs/read.ts";
import { anyImage, checkImageTaken, readServices } from "./read.ts";

/** `check job|service FILE NAME OUTPUT [--has-image]`: fails with the file's mistakes, else writes an empty file. */
async function main([kind, file = "", name = "", output = "", option]: readonly string[]): Promise<void> {
  if (kind === "job") parseDeployment(await readDocument(file, name), name);
  else {
    const image = option === "--has-image" ? anyImage : undefined;
    checkImageTaken(await readServices({ path: file, name, image }, undefined), image);
  }
  writeFileSync(output, "");
}

reportUncaught();
escapeText(process.stderr);
main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${reportOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
});
