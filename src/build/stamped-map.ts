import { type BuildStatus, statusRemedy } from "../core/build-status.ts";
import { UserError } from "../core/errors.ts";

const variable = /\{([A-Z][A-Z0-9_]*)\}/g;

/** A time (OCI image specification 1.1, "Pre-Defined Annotation Keys"). Bazel's are seconds since 1970. */
const createdKey = "org.opencontainers.image.created";

/** Without `--stamp` (`status` is undefined), entries with a variable are left out, so that no digest depends on it. */
export function stampedMap(
  field: string,
  map: Readonly<Record<string, string>>,
  status: BuildStatus | undefined,
): Record<string, string> {
  const entries = Object.entries(map).flatMap(([key, text]): [string, string][] => {
    if (!status && text.search(variable) >= 0) return [];
    const value = text.replace(variable, (_, name: string) => status?.get(name) ?? unknown(field, key, name, status));
    return [[key, key === createdKey ? timeOf(value) : value]];
  });
  return Object.fromEntries(entries);
}

/** `KEY=VALUE` in each line. Skips empty lines, and lines that start with `#`. */
export function parseMap(text: string, path: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim());
  const entries = lines.flatMap((line, index): [string, string][] => {
    if (line === "" || line.startsWith("#")) return [];
    const [, key, value] = /^([^=]+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) return [[key.trim(), value.trim()]];
    const culprit = `${path}:${index + 1}`;
    throw new UserError({ code: "file-invalid", culprit }, `${culprit} has no KEY=VALUE.`, "Write one in each line.");
  });
  return Object.fromEntries(entries);
}

function timeOf(value: string): string {
  return /^\d{1,11}$/.test(value) ? new Date(Number(value) * 1000).toISOString().replace(".000Z", "Z") : value;
}

function unknown(field: string, key: string, name: string, status: BuildStatus | undefined): never {
  throw new UserError(
    { code: "target-invalid", culprit: `${field}[${JSON.stringify(key)}]` },
    `${field}[${JSON.stringify(key)}]: the build status has no variable ${JSON.stringify(name)}.`,
    statusRemedy(status ?? new Map()),
  );
}
