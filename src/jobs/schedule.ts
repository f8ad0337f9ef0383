const months = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const days = "SUN MON TUE WED THU FRI SAT".split(" ");

/** The fields of a schedule on Kubernetes: no seconds, and Sunday is only 0. */
const fields = [
  { name: "minute", first: 0, last: 59, names: [] },
  { name: "hour", first: 0, last: 23, names: [] },
  { name: "day of the month", first: 1, last: 31, names: [] },
  { name: "month", first: 1, last: 12, names: months },
  { name: "day of the week", first: 0, last: 6, names: days },
] as const;

export function scheduleMistake(text: string): [problem: string, remedy: string] | undefined {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    const remedy = 'Write five fields, minute hour day month weekday: "0 3 * * *" is 03:00 every day.';
    return ["is not a schedule", remedy];
  }
  const wrong = fields.find((field, index) => !parts[index]?.split(",").every((part) => isPart(part, field)));
  if (wrong === undefined) return undefined;
  const { name, first, last } = wrong;
  return [`has no valid ${name}`, `Write *, or numbers from ${first} to ${last} as in 1,3 or 1-5 or */2.`];
}

/** `*`, `5`, `1-5`, each also with `/2`. */
function isPart(part: string, { first, last, names }: (typeof fields)[number]): boolean {
  const [, from = "", to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
  if (step !== undefined && Number(step) === 0) return false;
  if (from === "*") return to === undefined;
  const number = (word: string) => {
    const index = (names as readonly string[]).indexOf(word.toUpperCase());
    return index >= 0 ? index + first : /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN;
  };
  const [start, end] = [number(from), number(to ?? from)];
  return start >= first && end <= last && start <= end;
}

export function timeZoneMistake(text: string): [problem: string, remedy: string] | undefined {
  const isName = /^(UTC|[A-Z]\w*(\/[\w+-]+)+)$/.test(text);
  try {
    if (isName) new Intl.DateTimeFormat("en", { timeZone: text });
  } catch {
    return ["is not a time zone that this machine knows", "Write its name as in Europe/Berlin or UTC."];
  }
  return isName ? undefined : ["is not the name of a time zone", "Write it as in Europe/Berlin or UTC."];
}
