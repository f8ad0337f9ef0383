const bytesPer: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

const secondsPer: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** Bytes of `512MiB`, `1.5Gi`, `2GB`; undefined for what is no such quantity. The final `B` may be left out. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d{1,15}(?:\.\d{1,6})?) ?(?:([kMGT]|[KMGT]i)?B?)$/.exec(text) ?? [];
  const factor = bytesPer[unit];
  if (number === undefined || factor === undefined) return undefined;
  const bytes = Math.round(Number(number) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Seconds of `90s`, `1h30m`, `2d`: each unit at most once, the largest first. */
export function parseDuration(text: string): number | undefined {
  const [, ...parts] = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text) ?? [];
  if (parts.every((part) => part === undefined)) return undefined;
  return ["d", "h", "m", "s"].reduce(
    (sum, unit, index) => sum + Number(parts[index] ?? 0) * (secondsPer[unit] ?? 0),
    0,
  );
}

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
