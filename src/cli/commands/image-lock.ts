import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { heartbeat } from "../../core/heartbeat.ts";
import { readAptSources } from "../../debian/apt-sources.ts";
import { mirrorFetch } from "../../debian/http-fetch.ts";
import { formatLock, formatLockedPackage, type Lock, type LockRequest, parseLock } from "../../debian/lock.ts";
import { findMirrors } from "../../debian/mirrors.ts";
import { makeLock, withOldSnapshot } from "../../debian/update-lock.ts";
import { withNewFile, writeFully } from "../../layer/output.ts";
import { optionError } from "../usage-error.ts";

interface Options {
  readonly file: string;
  readonly suite?: string[] | undefined;
  readonly component?: string[] | undefined;
  readonly architecture?: string | undefined;
  readonly package?: string[] | undefined;
  readonly exclude?: string[] | undefined;
  readonly mirror: string;
}

export const command = "lock <file>";
export const describe = "Lock the Debian packages of a base image to the newest versions";

export function builder(yargs: Argv): Argv<Options> {
  const list = { type: "string", array: true } as const;
  return yargs
    .positional("file", {
      type: "string",
      demandOption: true,
      describe: "Lock file. If it exists, options that you omit keep their locked values",
    })
    .option("suite", { ...list, describe: "Debian suites, such as bookworm bookworm-security" })
    .option("component", { ...list, describe: "Debian components. Default for a new lock: main" })
    .option("architecture", { type: "string", describe: "Debian architecture. Default for a new lock: amd64" })
    .option("package", { ...list, describe: "Packages to install, with their dependencies" })
    .option("exclude", { ...list, describe: "Packages to leave out even if others depend on them" })
    .option("mirror", {
      type: "string",
      default: "",
      defaultDescription: "from this machine's apt sources",
      describe: "URL of a Debian mirror, such as https://HOST/debian",
    })
    .example("$0 image lock base.lock", "Update to the newest versions")
    .example("$0 image lock base.lock --suite trixie --package base-files libc6 --exclude debconf", "Create a lock");
}

/** Writes the lock and prints each change to standard error. */
export async function handler(options: ArgumentsCamelCase<Options>): Promise<void> {
  // `bazel run` starts programs in their runfiles and passes the user's folder in this variable.
  const path = resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? "", options.file);
  const old = existsSync(path) ? parseLock(readFileSync(path, "utf8"), options.file) : undefined;
  const request = requestOf(options, old);
  const mirrors = findMirrors(request.suites, options.mirror, readAptSources());
  const endHeartbeat = heartbeat(`reading the package indexes of ${request.suites.join(", ")}`);
  const made = await makeLock(request, { fetch: mirrorFetch(mirrors), now: new Date() }).finally(endHeartbeat);
  const lock = withOldSnapshot(made, old);
  await withNewFile(path, (fd) => writeFully(fd, Buffer.from(formatLock(lock))));
  const bytes = lock.locked.reduce((sum, { size }) => sum + size, 0);
  const size = `${lock.locked.length} packages, ${(bytes / 1e6).toFixed(1)} MB to download`;
  process.stderr.write(`${[...changes(old, lock), `${options.file}: ${size}.`].join("\n")}\n`);
}

function requestOf(options: Options, old: Lock | undefined): LockRequest {
  const suites = options.suite ?? old?.suites;
  const packages = options.package ?? old?.packages;
  if (suites === undefined || packages === undefined) {
    const lacking = suites === undefined ? "--suite" : "--package";
    throw optionError(
      lacking,
      `${options.file} does not exist, and ${lacking} is not given.`,
      "Give --suite and --package for a new lock, for example --suite bookworm --package base-files libc6.",
    );
  }
  return {
    suites,
    components: options.component ?? old?.components ?? ["main"],
    architecture: options.architecture ?? old?.architecture ?? "amd64",
    packages,
    excluded: options.exclude ?? old?.excluded ?? [],
  };
}

function changes(old: Lock | undefined, lock: Lock): string[] {
  const before = new Map(old?.locked.map((entry) => [entry.name, entry]));
  const after = new Set(lock.locked.map(({ name }) => name));
  return [
    ...lock.locked
      .filter((entry) => formatLockedPackage(entry) !== format(before.get(entry.name)))
      .map(({ name, version }) => `${name} ${before.get(name)?.version ?? "(new)"} -> ${version}`),
    ...[...before.keys()].filter((name) => !after.has(name)).map((name) => `${name} removed`),
  ];
}

function format(entry: Lock["locked"][number] | undefined): string {
  return entry === undefined ? "" : formatLockedPackage(entry);
}
