import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { stateFolder } from "../core/user-folders.ts";
import { isRepository, isTag } from "../oci/reference.ts";
import { PushProgress, type TerminalSize } from "../registry/client/progress.ts";
import { type ImageOutcome, type ImageToPush, type PushEvent, pushImages } from "../registry/client/push.ts";
import { hasManifest } from "../registry-server/has-manifest.ts";
import { attachDocuments, hasDocuments } from "./attach.ts";
import { checkCached, closeCaches } from "./cached-layers.ts";
import { type Destination, type Destinations, embedded, type OpenDestination } from "./destination.ts";
import { imageReference } from "./environment.ts";
import type { BuiltImage } from "./image.ts";
import { draw, tell } from "./output.ts";

export interface Shipment {
  readonly image: BuiltImage;
  readonly destination: Destination;
  readonly repository: string;
  readonly tags: readonly string[];
}

/** @throws UserError if a repository or a tag is invalid, or two images get the same tag */
export function checkNames(shipments: readonly Shipment[]): void {
  const named = new Map<string, Shipment>();
  for (const shipment of shipments) {
    checkName(shipment);
    const { image, repository, tags, destination } = shipment;
    for (const tag of tags) {
      const key = `${String(destination)} ${repository}:${tag}`;
      const other = named.get(key);
      named.set(key, shipment);
      if (!other || other.image.descriptor.digest === image.descriptor.digest) continue;
      throw new UserError(
        { code: "reference-invalid", culprit: tag },
        `${describe(other)} and ${describe(shipment)} both get the tag ${JSON.stringify(tag)} of ${repository}.`,
        "Give each a tag or a repository of its own.",
      );
    }
  }
}

export function describe({ image: { target, requested } }: Shipment): string {
  return `image ${requested.tag} of ${target}`;
}

function checkName(shipment: Shipment): void {
  const { repository, tags, image } = shipment;
  if (!isRepository(repository)) {
    throw new UserError(
      { code: "reference-invalid", culprit: repository },
      `${JSON.stringify(repository)} is not a repository name (image ${image.requested.tag}).`,
      "Write lower-case letters and digits, with . _ - and / between them.",
    );
  }
  for (const tag of tags) {
    if (isTag(tag)) continue;
    throw new UserError(
      { code: "reference-invalid", culprit: tag },
      `${JSON.stringify(tag)} is not a tag (image ${image.requested.tag}).`,
      "Write up to 128 letters, digits and . _ -, beginning with a letter, digit or _.",
    );
  }
}

/** Pushes nothing, but starts an embedded registry that has never run. */
export async function referencesOf(shipments: readonly Shipment[], destinations: Destinations): Promise<string[]> {
  const references: string[] = [];
  for (const { image, destination, repository } of shipments) {
    references.push(imageReference(image, await destinations.hostOf(destination), repository));
  }
  return references;
}

interface ShipOptions {
  readonly check: "digest" | "tags";
  /** Default: prints it to stderr. */
  readonly report?: Report | undefined;
  /** Called at the end for each image that failed. Default: the first failure stops the push. */
  readonly onFailure?: ((shipment: Shipment, error: unknown) => void) | undefined;
}

/** @returns the reference of each image, by digest, also of those that failed */
export async function ship(
  shipments: readonly Shipment[],
  destinations: Destinations,
  { check, report = new ReportForPeople(), onFailure }: ShipOptions,
): Promise<string[]> {
  checkNames(shipments);
  const toEmbedded = shipments.filter((each) => each.destination === embedded);
  const seen = toEmbedded.length > 0 ? await destinations.lastSeenEmbedded() : undefined;
  const missing = new Set<Shipment>();
  if (seen) {
    if (check === "digest") {
      const there = await Promise.all(
        toEmbedded.map(({ image, repository }) => hasManifest(seen.socket, repository, image.descriptor.digest)),
      );
      if (toEmbedded.length === shipments.length && there.every(Boolean)) {
        return shipments.map(({ image, repository }) => imageReference(image, seen.host, repository));
      }
      for (const [index, shipment] of toEmbedded.entries()) if (there[index] === false) missing.add(shipment);
    }
    destinations.openSeen(seen);
  }
  const failures = new Map<Shipment, unknown>();
  const shipAgain = async (missing: ReadonlySet<Shipment>) => {
    failures.clear();
    return shipOnce(shipments, destinations, { check, report, missing, failures: onFailure && failures });
  };
  let references: string[];
  try {
    references = await shipAgain(missing);
    const stopped = toEmbedded.map((each) => failures.get(each)).find(isNotListening);
    if (stopped) throw stopped;
  } catch (error) {
    // The embedded registry has stopped, but still has the blobs that were pushed.
    if (toEmbedded.length === 0 || !isNotListening(error)) throw error;
    await destinations.startEmbedded();
    references = await shipAgain(new Set());
  }
  for (const shipment of shipments) if (failures.has(shipment)) onFailure?.(shipment, failures.get(shipment));
  return references;
}

/** Whether this machine's user has not been told yet. */
function isFirst(): boolean {
  try {
    const folder = stateFolder();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    closeSync(openSync(join(folder, "embedded-registry-told"), "wx", 0o600));
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EEXIST";
  }
}

function isNotListening(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === "ECONNREFUSED" || cause?.code === "ENOENT";
}

export interface Report {
  readonly onEvent: (event: PushEvent) => void;
  finish(): void;
}

class ReportForPeople implements Report {
  #progress: PushProgress | undefined;

  readonly onEvent = (event: PushEvent): void => {
    if (event.type === "image" && event.outcome === "unchanged") return;
    this.#progress ??= new PushProgress({ write: draw, terminal: terminalOf(2) });
    this.#progress.onEvent(event);
  };

  finish(): void {
    this.#progress?.finish();
  }
}

interface Shipping {
  readonly check: "digest" | "tags";
  readonly report: Report;
  /** The registry has just reported these images as missing. */
  readonly missing: ReadonlySet<Shipment>;
  /** Undefined: the first failure stops the push. */
  readonly failures: Map<Shipment, unknown> | undefined;
}

async function shipOnce(
  shipments: readonly Shipment[],
  destinations: Destinations,
  { check, report, missing, failures }: Shipping,
): Promise<string[]> {
  const opened = await Promise.all(shipments.map((each) => destinations.open(each.destination)));
  let started: Promise<OpenDestination> | undefined;
  // It lacks something, so it must be running and have our version.
  const startEmbedded = async () => {
    const open = await destinations.startEmbedded();
    if (isFirst())
      tell(`slipway: no registry is set, so images go to the embedded one of this machine, ${open.host}\n`);
    return open;
  };
  const pushedBlobs = destinations.pushedBlobs();
  const images = shipments.map((shipment, index): ImageToPush => {
    const { image, destination, repository, tags } = shipment;
    const { client, host } = opened[index] as OpenDestination;
    return {
      client,
      repository,
      tags,
      digest: image.descriptor.digest,
      isMissing: missing.has(shipment),
      read: async () => {
        if (destination === embedded) {
          started ??= startEmbedded();
          await started;
        }
        return image.content(host);
      },
      attach: hasDocuments(image)
        ? (outcome, stored) => attachDocuments(image, outcome, { client, repository, host, pushedBlobs, stored })
        : undefined,
    };
  });
  const onFailure = (image: ImageToPush, error: unknown) => {
    failures?.set(shipments[images.indexOf(image)] as Shipment, error);
  };
  try {
    const outcomes = await pushImages(images, {
      check,
      onFailure: failures && onFailure,
      onEvent: report.onEvent,
      pushedBlobs,
      prepare: (blobs) => checkCached(blobs.map(({ blob }) => blob)),
    });
    await signAll(shipments, opened, outcomes, failures);
  } finally {
    report.finish();
    await closeCaches();
  }
  const host = (await started)?.host;
  return shipments.map(({ image, destination, repository }, index) =>
    imageReference(image, (destination === embedded && host) || (opened[index] as OpenDestination).host, repository),
  );
}

/** Signs only if the configuration file has a key for their repository. */
async function signAll(
  shipments: readonly Shipment[],
  opened: readonly OpenDestination[],
  outcomes: readonly (ImageOutcome | undefined)[],
  failures: Map<Shipment, unknown> | undefined,
): Promise<void> {
  const isNew = (outcome: ImageOutcome | undefined) => outcome !== undefined && outcome !== "unchanged";
  if (!outcomes.some(isNew)) return;
  const { signPushed } = await import("../signatures/rules.ts");
  await Promise.all(
    shipments.map(async (shipment, index) => {
      if (!isNew(outcomes[index])) return;
      const { image, repository } = shipment;
      const { client, host } = opened[index] as OpenDestination;
      const parts = [image, ...image.children].map(({ descriptor }) => descriptor);
      await signPushed(client, { registry: host, repository }, parts).catch((error) => {
        if (!failures) throw error;
        failures.set(shipment, error);
      });
    }),
  );
}

/** Reads the size on every call, since it changes. */
function terminalOf(descriptor: number): () => TerminalSize | undefined {
  const { isatty, WriteStream } = process.getBuiltinModule("node:tty");
  if (!isatty(descriptor) || process.env["TERM"] === "dumb") return () => undefined;
  const terminal = new WriteStream(descriptor);
  return () => {
    const [columns, rows] = terminal.getWindowSize();
    return { columns: columns || 80, rows: rows || 24 };
  };
}
