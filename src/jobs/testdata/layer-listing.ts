import { execFileSync } from "node:child_process";

/** What a layer has, as tar shows it: mode, owner and path of each entry. */
export function layerListing(blob: string): string[] {
  return execFileSync("tar", ["--numeric-owner", "-tvzf", blob], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.replace(/^(\S+) (\S+) .*? (slipway.*)$/, "$1 $2 $3"));
}
