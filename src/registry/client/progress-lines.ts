/** A transfer and how far it is. Bytes and milliseconds. */
export interface Transfer {
  readonly sent: number;
  readonly size: number;
  readonly elapsed: number;
}

/** Milliseconds until a rate means something. */
const soonest = 500;

/**
 * A line for one blob in flight: `sha256:0123456789ab 12.3 MB of 40.0 MB, 8.1 MB/s, 3 s left`. On a narrow terminal the last parts are
 * left out.
 *
 * @param columns that the line may take at most; the digest is cut when not even that fits
 */
export function blobLine(digest: string, transfer: Transfer, columns: number): string {
  const parts = transfer.sent === 0 ? [formatBytes(transfer.size), "waiting"] : transferParts(transfer);
  return fitted(`  ${shortened(digest)} `, parts, columns);
}

/** As much of a digest as people need to tell it from others. */
export function shortened(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}

/** A line for all of them. */
export function totalLine(done: number, blobs: number, transfer: Transfer, columns = Number.POSITIVE_INFINITY): string {
  return fitted("pushing: ", [`${done} of ${plural(blobs, "blob")}`, ...transferParts(transfer)], columns);
}

function transferParts({ sent, size, elapsed }: Transfer): string[] {
  const parts = [`${formatBytes(sent)} of ${formatBytes(size)}`];
  if (elapsed < soonest || sent <= 0) return parts;
  const rate = sent / (elapsed / 1000);
  parts.push(`${formatBytes(rate)}/s`);
  // What was sent is not yet what the registry has stored, so the end is not named.
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

/** Seconds as people read them. */
export function formatTime(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 100) return `${whole} s`;
  const minutes = Math.round(whole / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

export function plural(count: number, noun: string): string {
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
