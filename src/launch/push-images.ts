import { UserError } from "../core/errors.ts";
import { isRepository, isTag } from "../oci/reference.ts";
import { PushProgress, type TerminalSize } from "../registry/client/progress.ts";
import { type ImageToPush, type PushEvent, pushImages } from "../registry/client/push.ts";
import { hasManifest } from "../registry/server/has-manifest.ts";
import { type Destination, type Destinations, embedded, type OpenDestination } from "./destination.ts";
import { imageReference } from "./environment.ts";
import type { BuiltImage } from "./image.ts";
import { tell } from "./output.ts";

/** An image and its destination. */
export interface Shipment {
  readonly image: BuiltImage;
  readonly destination: Destination;
  readonly repository: string;
  readonly tags: readonly string[];
}

/** @throws UserError if the repository or a tag is invalid */
export function checkNames(shipment: Shipment): void {
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

/**
 * Pushes images to their registries and reports the progress.
 *
 * @param report gets the progress. Default: prints it to stderr
 * @returns the reference of each image, by digest
 */
export async function ship(
  shipments: readonly Shipment[],
  destinations: Destinations,
  check: "digest" | "tags",
  report: Report = new ReportForPeople(),
): Promise<string[]> {
  for (const shipment of shipments) checkNames(shipment);
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
  try {
    return await new Shipping(destinations, check, report, missing).run(shipments);
  } catch (error) {
    // The registry has stopped. Start it again; it still has the blobs that were pushed.
    if (toEmbedded.length === 0 || !isNotListening(error)) throw error;
    await destinations.startEmbedded();
    return new Shipping(destinations, check, report, new Set()).run(shipments);
  }
}

function isNotListening(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause?.code === "ECONNREFUSED" || cause?.code === "ENOENT";
}

/** Receives the progress of a push. */
export interface Report {
  readonly onEvent: (event: PushEvent) => void;
  /** Called at the end, also after an error. */
  finish(): void;
}

class ReportForPeople implements Report {
  #progress: PushProgress | undefined;

  readonly onEvent = (event: PushEvent): void => {
    // Create the progress only for a push with changes.
    if (event.type === "image" && event.outcome === "unchanged") return;
    this.#progress ??= new PushProgress({ write: tell, terminal: terminalOf(2) });
    this.#progress.onEvent(event);
  };

  finish(): void {
    this.#progress?.finish();
  }
}

class Shipping {
  readonly #destinations: Destinations;
  readonly #check: "digest" | "tags";
  readonly #report: Report;
  readonly #missing: ReadonlySet<Shipment>;
  #startedEmbedded: Promise<OpenDestination> | undefined;

  /** @param missing shipments whose image the registry has just reported as missing */
  constructor(destinations: Destinations, check: "digest" | "tags", report: Report, missing: ReadonlySet<Shipment>) {
    this.#destinations = destinations;
    this.#check = check;
    this.#report = report;
    this.#missing = missing;
  }

  async run(shipments: readonly Shipment[]): Promise<string[]> {
    const opened = await Promise.all(shipments.map((each) => this.#destinations.open(each.destination)));
    const images = shipments.map((shipment, index) => this.#imageOf(shipment, opened[index] as OpenDestination));
    try {
      const pushedBlobs = this.#destinations.pushedBlobs();
      await pushImages(images, { check: this.#check, onEvent: this.#report.onEvent, pushedBlobs });
    } finally {
      this.#report.finish();
    }
    const host = (await this.#startedEmbedded)?.host;
    return shipments.map(({ image, destination, repository }, index) =>
      imageReference(image, (destination === embedded && host) || (opened[index] as OpenDestination).host, repository),
    );
  }

  #imageOf(shipment: Shipment, { client, host }: OpenDestination): ImageToPush {
    const { image, destination, repository, tags } = shipment;
    return {
      client,
      repository,
      tags,
      digest: image.descriptor.digest,
      isMissing: this.#missing.has(shipment),
      read: async () => {
        if (destination === embedded) await this.#startEmbedded();
        return image.content(host);
      },
    };
  }

  /** The embedded registry lacks something, so it must be running and have our version. */
  #startEmbedded(): Promise<OpenDestination> {
    this.#startedEmbedded ??= this.#destinations.startEmbedded().then((started) => {
      tell(`slipway: no registry is set, so images go to the embedded one of this machine, ${started.host}\n`);
      return started;
    });
    return this.#startedEmbedded;
  }
}

/** Reads a terminal's size on every call, since it changes. */
function terminalOf(descriptor: number): () => TerminalSize | undefined {
  const { isatty, WriteStream } = process.getBuiltinModule("node:tty");
  if (!isatty(descriptor) || process.env["TERM"] === "dumb") return () => undefined;
  const terminal = new WriteStream(descriptor);
  return () => {
    const [columns, rows] = terminal.getWindowSize();
    return { columns: columns || 80, rows: rows || 24 };
  };
}
