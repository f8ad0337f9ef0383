import { createReadStream, existsSync } from "node:fs";
import { formatBytes } from "../../config/quantity.ts";
import { UserError } from "../../core/errors.ts";
import { heartbeat } from "../../core/heartbeat.ts";
import { ReadLimit, readWhole } from "../../core/read-whole.ts";
import { userPath } from "../../core/user-path.ts";
import { readAptSources } from "../../debian/apt-sources.ts";
import { mirrorFetch } from "../../debian/http-fetch.ts";
import { formatLock, formatLockedPackage, type Lock, type LockRequest, parseLock } from "../../debian/lock.ts";
import { findMirrors } from "../../debian/mirrors.ts";
import { makeLock, withOldSnapshot } from "../../debian/update-lock.ts";
import { withNewFile, writeFully } from "../../layer/output.ts";
import { command, type Given } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { list, required, text } from "./options.ts";

const specs = {
  file: required("Lock file. If it exists, options that you omit keep their locked values"),
  suite: list("Debian suites, such as bookworm bookworm-security"),
  component: list("Debian components. Default for a new lock: main"),
  architecture: text("Debian architecture. Default for a new lock: amd64"),
  package: list("Packages to install, with their dependencies"),
  exclude: list("Packages to leave out even if others depend on them"),
  mirror: {
    ...text("URL of a Debian mirror, such as https://HOST/debian"),
    default: "",
    defaultDescription: "from this machine's apt sources",
  },
} as const;

export const lock = command(
  specs,
  async (options) => {
    const path = userPath(options.file);
    const old = existsSync(path) ? parseLock(await readLock(path, options.file), options.file) : undefined;
    const request = requestOf(options, old);
    const mirrors = findMirrors(request.suites, options.mirror, readAptSources());
    const endHeartbeat = heartbeat(`reading the package indexes of ${request.suites.join(", ")}`);
    const made = await makeLock(request, { fetch: mirrorFetch(mirrors), now: new Date() }).finally(endHeartbeat);
    const next = withOldSnapshot(made, old);
    await withNewFile(path, (fd) => writeFully(fd, Buffer.from(formatLock(next))));
    const bytes = next.locked.reduce((sum, { size }) => sum + size, 0);
    const size = `${next.locked.length} packages, ${formatBytes(bytes)} to download`;
    process.stderr.write(`${[...changes(old, next), `${options.file}: ${size}.`].join("\n")}\n`);
  },
  (yargs) =>
    yargs
      .example("$0 image lock base.lock", "Update to the newest versions")
      .example("$0 image lock base.lock --suite trixie --package base-files libc6 --exclude debconf", "Create a lock"),
);

/** Bytes. A lock has some hundred packages. */
const maximumLock = 16 * 1024 * 1024;

async function readLock(path: string, name: string): Promise<string> {
  const bytes = await readWhole(createReadStream(path), maximumLock).catch((cause) => {
    if (!(cause instanceof ReadLimit)) throw cause;
    throw new UserError(
      { code: "file-invalid", culprit: name },
      `${name} ${cause.message}, so it is not a lock.`,
      "Name a lock, or a file that does not exist.",
    );
  });
  return bytes.toString();
}

function requestOf(options: Given<typeof specs>, old: Lock | undefined): LockRequest {
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
  const lines = lock.locked.flatMap((entry) => {
    const { name, version } = entry;
    const known = before.get(name);
    before.delete(name);
    if (known && formatLockedPackage(known) === formatLockedPackage(entry)) return [];
    return [`${name} ${known?.version ?? "(new)"} -> ${version}`];
  });
  return [...lines, ...[...before.keys()].map((name) => `${name} removed`)];
}
