import type { ImageToPush, PushEvent } from "./push.ts";

export interface ProgressOptions {
  /** Writes text for people. */
  readonly write: (text: string) => void;
  /** Columns of the terminal; undefined: not one, so whole lines are written, and few. */
  readonly columns?: number | undefined;
  /** Milliseconds, from any start. */
  readonly now?: () => number;
}

/** What became of the blobs of one image. */
interface Counts {
  sent: number;
  bytes: number;
  streamed: number;
  streamedBytes: number;
  mounted: number;
  present: number;
}

const nothing: Counts = { sent: 0, bytes: 0, streamed: 0, streamedBytes: 0, mounted: 0, present: 0 };

/** Milliseconds between two redrawn lines on a terminal, and between two plain lines elsewhere. */
const redrawEvery = 100;
const plainEvery = 10_000;

/**
 * Tells people how a push is going: one line that is redrawn on a terminal, now and then a plain line elsewhere, and a line for every
 * image that was not there before. Silent when nothing was moved.
 */
export class PushProgress {
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  #blobs = 0;
  #blobsDone = 0;
  /** Bytes of the blobs that have to be sent, and how many of them were. */
  #bytes = 0;
  #sent = 0;
  #startedAt: number | undefined;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #lineDrawn = false;
  readonly #perImage = new Map<ImageToPush, Counts>();

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** To be given to `pushImages` as `onEvent`. */
  readonly onEvent = (event: PushEvent): void => {
    switch (event.type) {
      case "checked":
        this.#blobs += event.blobs;
        break;
      case "sending":
        this.#bytes += event.size;
        this.#begin();
        break;
      case "sent":
        this.#sent += event.bytes;
        break;
      case "blob":
        this.#countBlob(event);
        break;
      case "image":
        this.#endImage(event);
        return;
    }
    this.#draw();
  };

  /** Removes the line that was being redrawn. To be called however the push ends. */
  finish(): void {
    if (this.#lineDrawn) this.#options.write("\r\u001b[K");
    this.#lineDrawn = false;
  }

  #begin(): void {
    if (this.#startedAt !== undefined) return;
    this.#startedAt = this.#now();
    // The first plain line is due only when it takes long enough to wonder.
    this.#writtenAt = this.#options.columns === undefined ? this.#startedAt : Number.NEGATIVE_INFINITY;
  }

  #countBlob(event: Extract<PushEvent, { type: "blob" }>): void {
    this.#blobsDone++;
    const counts = this.#perImage.get(event.image) ?? { ...nothing };
    this.#perImage.set(event.image, counts);
    if (event.outcome === "present") counts.present++;
    else if (event.outcome === "mounted") counts.mounted++;
    else if (event.outcome === "streamed") {
      counts.streamed++;
      counts.streamedBytes += event.size;
    } else {
      counts.sent++;
      counts.bytes += event.size;
    }
    // A mounted blob was announced as one to send.
    if (event.outcome === "mounted") this.#bytes -= event.size;
  }

  #endImage(event: Extract<PushEvent, { type: "image" }>): void {
    const { image, outcome } = event;
    if (outcome === "unchanged") return;
    const counts = this.#perImage.get(image);
    const parts = [
      counts && counts.sent > 0 ? `${plural(counts.sent, "blob")} sent (${formatBytes(counts.bytes)})` : "",
      counts && counts.streamed > 0 ? `${counts.streamed} streamed (${formatBytes(counts.streamedBytes)})` : "",
      counts && counts.mounted > 0 ? `${counts.mounted} mounted` : "",
      counts && counts.present > 0 ? `${counts.present} there already` : "",
    ].filter((part) => part !== "");
    const verb = outcome === "pushed" ? "pushed" : "tagged";
    const what = `${image.client.registry}/${image.repository}${image.tags.length > 0 ? `:${image.tags.join(",")}` : ""}`;
    this.finish();
    this.#options.write(`${verb} ${what}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}\n`);
  }

  #draw(): void {
    if (this.#startedAt === undefined) return;
    const { columns, write } = this.#options;
    const now = this.#now();
    if (now - this.#writtenAt < (columns === undefined ? plainEvery : redrawEvery)) return;
    this.#writtenAt = now;
    const seconds = (now - this.#startedAt) / 1000;
    const rate = seconds >= 0.5 && this.#sent > 0 ? `, ${formatBytes(this.#sent / seconds)}/s` : "";
    const line =
      `pushing: ${this.#blobsDone} of ${plural(this.#blobs, "blob")}, ` +
      `${formatBytes(this.#sent)} of ${formatBytes(this.#bytes)}${rate}`;
    if (columns === undefined) {
      write(`${line}\n`);
    } else {
      write(`\r${line.slice(0, columns - 1)}\u001b[K`);
      this.#lineDrawn = true;
    }
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Bytes as people read them, by powers of ten, as disks and networks count. */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
