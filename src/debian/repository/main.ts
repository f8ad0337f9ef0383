import { readFileSync } from "node:fs";
import { exitStatusOf, messageOf } from "../../oci/errors.ts";
import { readAptSources } from "../apt_sources.ts";
import { parseLock } from "../lock.ts";
import { findMirrors } from "../mirrors.ts";

/**
 * What a repository rule asks while it brings the packages of a lock. It runs as it is, by Node's type stripping, before anything is built;
 * `relock` alone needs npm packages.
 *
 *     check LOCK FILE {"suite", "components", "architecture", "packages"}    reads LOCK (called FILE in errors) and prints it as JSON
 *     mirrors LOCK MIRROR                                                    prints the address of each archive as JSON
 *     relock LOCK FOLDER                                                     see ./relock.ts
 */
async function main(args: readonly string[]): Promise<unknown> {
  const [command, lockPath = "", ...rest] = args;
  const lock = parseLock(readFileSync(lockPath, "utf8"), command === "check" ? (rest[0] ?? lockPath) : lockPath);
  switch (command) {
    case "check": {
      const { checkRequest } = await import("./check_request.ts");
      checkRequest(lock, JSON.parse(rest[1] ?? "{}"), rest[0] ?? lockPath);
      return lock;
    }
    case "mirrors":
      return findMirrors(lock.suites, rest[0] ?? "", readAptSources());
    case "relock": {
      const { relock } = await import("./relock.ts");
      return relock(lock, rest[0] ?? "", new Date());
    }
    default:
      throw new TypeError(`unknown command ${command}`);
  }
}

try {
  process.stdout.write(`${JSON.stringify(await main(process.argv.slice(2)))}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
}
