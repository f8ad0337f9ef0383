import { Failure } from "../core/errors.ts";
import { parseParagraphs, words } from "./deb822.ts";

export interface IndexFile {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

/** Only made of text whose signature was verified. */
export interface Release {
  readonly suite: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly files: ReadonlyMap<string, IndexFile>;
}

/** A mirror may serve an old Release or another suite's. `now` is for `Valid-Until` of updates and security suites. */
export function parseRelease(text: string, wanted: string, now: Date): Release {
  const [release] = parseParagraphs(text);
  const names = [release?.get("suite"), release?.get("codename")];
  if (release === undefined || !names.includes(wanted)) {
    throw failed(
      wanted,
      `The mirror sent the index of ${names.find((name) => name) ?? "no suite"} for the suite ${wanted}.`,
      "Check the name of the suite, or use another mirror.",
    );
  }
  const validUntil = release.get("valid-until");
  if (validUntil !== undefined && !(Date.parse(validUntil) >= now.getTime())) {
    throw failed(
      wanted,
      `The index of ${wanted} was valid until ${validUntil}: the mirror is out of date, or somebody serves an old index.`,
      "Check this machine's clock, then use another mirror.",
    );
  }
  const files = new Map<string, IndexFile>();
  for (const line of (release.get("sha256") ?? "").split("\n")) {
    const [sha256, size, path] = words(line);
    if (sha256 === undefined || size === undefined || path === undefined) continue;
    if (/^[0-9a-f]{64}$/.test(sha256)) files.set(path, { path, sha256, size: Number(size) });
  }
  if (files.size === 0) throw failed(wanted, `The index of ${wanted} has no SHA256 sums.`, "Use another mirror.");
  return {
    suite: wanted,
    components: words(release.get("components")),
    architectures: words(release.get("architectures")),
    files,
  };
}

/** The security archive may write a component as `updates/main`. @throws Failure that names the indexes it has */
export function packagesIndex(release: Release, component: string, architecture: string): IndexFile {
  const file = release.files.get(`${component}/binary-${architecture}/Packages.xz`);
  if (file !== undefined) return file;
  const known = release.components.map((name) => name.replace(/^updates\//, ""));
  if (!known.includes(component)) {
    throw new Failure(
      { code: "package-not-found", culprit: component },
      `${release.suite} has no component ${component}.`,
      `Use one of ${known.join(", ")}.`,
    );
  }
  const architectures = release.architectures.filter((name) => name !== "all");
  throw new Failure(
    { code: "package-not-found", culprit: architecture },
    `${release.suite} has no packages of ${component} for ${architecture}.`,
    `Use one of ${architectures.join(", ")}.`,
  );
}

function failed(suite: string, problem: string, remedy: string): Failure {
  return new Failure({ code: "repository-failed", culprit: suite }, problem, remedy);
}
