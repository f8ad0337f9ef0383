import { formatBytes } from "../../config/quantity.ts";

/** Bytes and milliseconds. */
export interface Transfer {
  readonly sent: number;
  readonly size: number;
  readonly elapsed: number;
}

/** Milliseconds until a rate is meaningful. */
const soonest = 500;

/** `sha256:0123456789ab 12.3 MB of 40.0 MB, 8.1 MB/s, 3 s left`, without the last parts on a narrow terminal. */
export function blobLine(digest: string, transfer: Transfer, columns: number): string {
  const parts = transfer.sent === 0 ? [formatBytes(transfer.size), "waiting"] : transferParts(transfer);
  return fitted(`  ${shortened(digest)} `, parts, columns);
}

export function shortened(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

export function totalLine(done: number, blobs: number, transfer: Transfer, columns = Number.POSITIVE_INFINITY): string {
  return fitted("pushing: ", [`${done} of ${plural(blobs, "blob")}`, ...transferParts(transfer)], columns);
}

function transferParts({ sent, size, elapsed }: Transfer): string[] {
  const parts = [`${formatBytes(sent)} of ${formatBytes(size)}`];
  if (elapsed < soonest || sent <= 0) return parts;
  const rate = sent / (elapsed / 1000);
  parts.push(`${formatBytes(rate)}/s`);
  // Sent bytes are not stored yet.
  if (sent < size) parts.push(`${formatTime((size - sent) / rate)} left`);
  return parts;
}

function fitted(start: string, parts: readonly string[], columns: number): string {
  for (let count = parts.length; count > 0; count--) {
    const line = start + parts.slice(0, count).join(", ");
    if (line.length <= columns) return line;
  }
  return start.trimEnd().slice(0, columns);
}

export function formatTime(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 100) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
