import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "./measure.ts";

/** Unpacks the release archive, what users have of Slipway. @returns its folder */
export function unpackRelease(scratch: string): string {
  const folder = resolve(process.argv[1] ?? "", "../../../tools/release");
  const archive = readdirSync(folder).find((name) => /^slipway-.*\.tar\.gz$/.test(name));
  if (!archive) throw new Error(`there is no release archive in ${folder}`);
  run(["tar", "-xzf", join(folder, archive), "-C", scratch]);
  return join(scratch, archive.replace(/\.tar\.gz$/, ""));
}
