import { readFileSync } from "node:fs";
import { exitStatusOf, reportOf } from "../../core/errors.ts";
import { reportUncaught } from "../../core/unexpected.ts";
import { readAptSources } from "../apt-sources.ts";
import { parseLock } from "../lock.ts";
import { findMirrors } from "../mirrors.ts";
import { snapshotArchives } from "../snapshot.ts";
import { checkRequest } from "./check-request.ts";

/**
 * The repository rule of a base image runs this file unbuilt, by Node's type stripping. `relock` needs npm packages.
 *
 *     prepare LOCK NAME MIRROR DECLARED    checks LOCK, called NAME in errors, against DECLARED (./check-request.ts),
 *                                          and prints {"lock", "mirrors", "archives"}; MIRROR may be empty
 *     relock LOCK MIRROR                   prints {"lock", "locked", "changed"} (./relock.ts)
 */
async function main([command, path = "", ...rest]: readonly string[]): Promise<unknown> {
  const text = readFileSync(path, "utf8");
  if (command === "relock") {
    const lock = parseLock(text, path);
    const mirrors = findMirrors(lock.suites, rest[0] ?? "", readAptSources());
    const [{ relock }, { mirrorFetch }] = await Promise.all([import("./relock.ts"), import("../http-fetch.ts")]);
    return relock(lock, { fetch: mirrorFetch(mirrors), now: new Date() });
  }
  const [name = path, mirror = "", declared = "{}"] = rest;
  const lock = parseLock(text, name);
  checkRequest(lock, JSON.parse(declared), name);
  return { lock, mirrors: findMirrors(lock.suites, mirror, readAptSources()), archives: snapshotArchives(lock) };
}

reportUncaught();
try {
  process.stdout.write(`${JSON.stringify(await main(process.argv.slice(2)))}\n`);
} catch (error) {
  process.stderr.write(`${reportOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
}
