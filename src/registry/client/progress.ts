import { formatBytes } from "../../config/quantity.ts";
import { every } from "../../core/heartbeat.ts";
import type { Digest } from "../../oci/digest.ts";
import { blobLine, plural, shortened, totalLine } from "./progress-lines.ts";
import type { BlobOutcome, NamedImage, PushEvent } from "./push.ts";

export { formatBytes } from "../../config/quantity.ts";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Undefined: no terminal, so only whole lines are written. */
  readonly terminal: () => TerminalSize | undefined;
  /** Milliseconds, from any start. */
  readonly now?: () => number;
}

type Counts = Partial<Record<BlobOutcome, { blobs: number; bytes: number }>>;

interface Flight {
  readonly digest: Digest;
  readonly size: number;
  readonly startedAt: number;
  sent: number;
}

/** Milliseconds, on a terminal and elsewhere. */
const redrawEvery = 100;
const plainEvery = every;

/** On a terminal, redraws a line per blob in flight. Elsewhere, writes a plain line now and then. Sums up images. */
export class PushProgress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  #blobs = 0;
  #blobsDone = 0;
  #bytes = 0;
  #sent = 0;
  #startedAt: number | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;
  /** Lines on the terminal to draw over. */
  #drawn = 0;
  #imagesMoved = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #flights = new Map<string, Flight>();
  readonly #perImage = new Map<NamedImage, Counts>();

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  readonly onEvent = (event: PushEvent): void => {
    if (event.type === "image") this.#endImage(event);
    else if (event.type === "checked") this.#blobs += event.blobs;
    else if (event.type === "sending") this.#begin(event);
    else if (event.type === "sent") this.#advance(event);
    else this.#endBlob(event);
    if (event.type !== "image") this.#draw();
  };

  /** Call it however the push ends. */
  finish(): void {
    clearInterval(this.#timer);
    this.#erase();
    const all = describe([...this.#perImage.values()]);
    if (this.#imagesMoved > 1 && all !== "") this.#options.write(`in all${all}\n`);
    this.#imagesMoved = 0;
  }

  #begin(event: Extract<PushEvent, { type: "sending" }>): void {
    const now = this.#now();
    this.#bytes += event.size;
    this.#flights.set(keyOf(event), { digest: event.digest, size: event.size, startedAt: now, sent: 0 });
    if (this.#startedAt !== undefined) return;
    this.#startedAt = now;
    this.#timer = setInterval(() => this.#draw(), redrawEvery).unref();
    // The first plain line is due only after a while.
    if (!this.#options.terminal()) this.#writtenAt = now;
  }

  #advance(event: Extract<PushEvent, { type: "sent" }>): void {
    this.#sent += event.bytes;
    const flight = this.#flights.get(keyOf(event));
    if (flight) flight.sent += event.bytes;
  }

  #endBlob(event: Extract<PushEvent, { type: "blob" }>): void {
    this.#blobsDone++;
    const counts = this.#perImage.get(event.image) ?? {};
    this.#perImage.set(event.image, counts);
    const { blobs, bytes } = counts[event.outcome] ?? { blobs: 0, bytes: 0 };
    counts[event.outcome] = { blobs: blobs + 1, bytes: bytes + event.size };
    if (event.outcome === "mounted") this.#bytes -= event.size;
    this.#flights.delete(keyOf(event));
  }

  #endImage({ image, outcome }: Extract<PushEvent, { type: "image" }>): void {
    if (outcome === "unchanged") return;
    this.#imagesMoved++;
    const version = image.tags.length > 0 ? `:${image.tags.join(",")}` : `@${shortened(image.digest)}`;
    const name = `${image.client.registry}/${image.repository}${version}`;
    this.#erase();
    this.#options.write(`${outcome} ${name}${describe([this.#perImage.get(image) ?? {}])}\n`);
  }

  #draw(): void {
    if (this.#startedAt === undefined) return;
    const terminal = this.#options.terminal();
    const now = this.#now();
    if (now - this.#writtenAt < (terminal ? redrawEvery : plainEvery)) return;
    this.#writtenAt = now;
    const whole = { sent: this.#sent, size: this.#bytes, elapsed: now - this.#startedAt };
    if (!terminal) {
      this.#options.write(`${totalLine(this.#blobsDone, this.#blobs, whole)}\n`);
      return;
    }
    // Keep the last column free, since a terminal may wrap after it, and one row for output that scrolls.
    const columns = terminal.columns - 1;
    const lines = [...this.#flights.values()]
      .slice(0, Math.max(0, terminal.rows - 2))
      .map(({ digest, sent, size, startedAt }) => blobLine(digest, { sent, size, elapsed: now - startedAt }, columns));
    lines.push(totalLine(this.#blobsDone, this.#blobs, whole, columns));
    this.#options.write(`${this.#toStart()}${lines.map((line) => `${line}\u001b[K`).join("\n")}\u001b[J`);
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#drawn > 0) this.#options.write(`${this.#toStart()}\u001b[J`);
    this.#drawn = 0;
  }

  #toStart(): string {
    return `\r${this.#drawn > 1 ? `\u001b[${this.#drawn - 1}A` : ""}`;
  }
}

function keyOf({ image, digest }: { image: NamedImage; digest: Digest }): string {
  return `${image.client.registry}/${image.repository} ${digest}`;
}

function describe(images: readonly Counts[]): string {
  const words = { uploaded: "sent", streamed: "streamed", mounted: "mounted", present: "there already" };
  const parts: string[] = [];
  for (const outcome of Object.keys(words) as BlobOutcome[]) {
    const sum = (of: "blobs" | "bytes") => images.reduce((total, counts) => total + (counts[outcome]?.[of] ?? 0), 0);
    const blobs = sum("blobs");
    if (blobs === 0) continue;
    parts.push(
      `${parts.length === 0 ? plural(blobs, "blob") : blobs} ${words[outcome]} (${formatBytes(sum("bytes"))})`,
    );
  }
  return parts.length > 0 ? `: ${parts.join(", ")}` : "";
}
