import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { parseServiceUrl, services } from "../../credentials/service-url.ts";
import { describeEntry, describeSource, type Entry } from "../../credentials/source.ts";
import { readStore, storePath } from "../../credentials/store.ts";
import { editStore } from "../../credentials/store-edit.ts";
import { command } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { json, required } from "./options.ts";
import { columns, printJson } from "./output.ts";

/** One per line, newest last: service, URL, source and name. */
export const ls = command({ json }, async ({ json }) => {
  const entries = await readStore(process.env);
  if (json) return printJson(entries.map(withoutSecret));
  process.stdout.write(
    columns(entries.map(({ service, url, source, name = "" }) => [service, url, describeSource(source), name])),
  );
  if (entries.length === 0) process.stderr.write(`Nothing was added: ${storePath(process.env)} has no credentials.\n`);
});

function withoutSecret(entry: Entry): object {
  const { source } = entry;
  if (source.kind === "stored") return { ...entry, source: { kind: source.kind, username: source.username } };
  if (source.kind === "stored-token") return { ...entry, source: { kind: source.kind } };
  return entry;
}

/** The suggestion stands before a remedy. */
export function didYouMean(what: string, entries: readonly Entry[]): string {
  const meant = nearest(
    what,
    entries.flatMap(({ name, url }) => (name === undefined ? [url] : [name, url])),
  );
  return meant === undefined ? "" : `Did you mean ${meant}? `;
}

const specs = {
  what: required("Name of the source, or its URL as `list` shows it"),
  service: { choices: services, describe: "Kind of service" },
} as const;

/** A URL removes all its sources. */
export const rm = command(specs, async ({ what, service }) => {
  const removed: Entry[] = [];
  await editStore(process.env, (entries) => {
    const isMeant = (entry: Entry) =>
      (entry.name === what || isSameUrl(entry, what)) && (service === undefined || entry.service === service);
    const meant = entries.filter(isMeant);
    const kinds = new Set(meant.map((entry) => entry.service));
    if (kinds.size > 1) {
      const problem = `${JSON.stringify(what)} is set for the services ${[...kinds].join(" and ")}.`;
      throw optionError("--service", problem, "Name one of them with --service.");
    }
    if (meant.length === 0) {
      throw new UserError(
        { code: "credential-not-found", culprit: what },
        `No credential has the name or URL ${JSON.stringify(what)}.`,
        `${didYouMean(what, entries)}\`slipway credentials ls\` lists them.`,
      );
    }
    removed.push(...meant);
    return entries.filter((entry) => !isMeant(entry));
  });
  for (const entry of removed) process.stderr.write(`Removed ${describeEntry(entry)}.\n`);
});

/** Docker Hub has several names. */
function isSameUrl({ service, url }: Entry, what: string): boolean {
  if (url === what) return true;
  try {
    return isDeepStrictEqual(parseServiceUrl(service, url), parseServiceUrl(service, what));
  } catch {
    return false;
  }
}
