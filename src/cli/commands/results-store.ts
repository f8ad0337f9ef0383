import process from "node:process";
import { formatBytes, parseBytes, parseDuration } from "../../config/quantity.ts";
import { UserError } from "../../core/errors.ts";
import { parseReference } from "../../oci/reference.ts";
import { normalizeRegistry } from "../../oci/registry-host.ts";
import { openRunning } from "../../registry/open-running.ts";
import {
  beyondLimits,
  type ListedRun,
  listResults,
  removeFiles,
  removeResults,
  unnamedFiles,
} from "../../results/manage.ts";
import { type ResultPlace, resultsOf } from "../../results/read.ts";
import { command } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { json, list, required, text } from "./options.ts";
import { columns, notice, printJson } from "./output.ts";

const repository = required("Repository of the image, HOST/REPOSITORY");
const run = required("Run that `ls` lists");
const names = { ...list("Functions, or runs that `ls` lists"), demandOption: true } as const;

export const ls = command({ repository, json }, async ({ repository, json }) => {
  using place = await openPlace(repository);
  const runs = await listResults(place);
  if (runs.length === 0 && !json) notice(`${repository} has no kept results.`);
  print(runs, json);
});

export const show = command({ repository, run, json }, async ({ repository, run: name, json }) => {
  using place = await openPlace(repository);
  const run = (await listResults(place)).find(({ tag }) => tag === name);
  if (!run) throw absent(repository, name);
  for (const { key, result } of await resultsOf(place, run.tag, run)) {
    // The result is JSON already, with numbers that JavaScript may not have.
    const shown = result === "" ? "null" : result;
    process.stdout.write(json ? `{"key":"${key}","result":${shown}}\n` : `${key} ${shown}\n`);
  }
});

export const rm = command({ repository, names, json }, async ({ repository, names, json }) => {
  using place = await openPlace(repository);
  const runs = await listResults(place);
  const named = ({ tag, scope }: ListedRun, name: string) => tag === name || scope.function === name;
  for (const name of names) if (!runs.some((run) => named(run, name))) throw absent(repository, name);
  const gone = runs.filter((run) => names.some((name) => named(run, name)));
  await removeResults(place, gone);
  print(gone, json);
});

const limits = {
  "older-than": text("Remove runs that stored nothing for so long, such as 30d"),
  size: text("Remove the oldest runs until the others take at most so much, such as 1GiB"),
};

export const prune = command({ repository, ...limits, json }, async ({ repository, olderThan, size, json }) => {
  if (olderThan === undefined && size === undefined) {
    throw optionError("prune", "`slipway results prune` has no limit.", "Add --older-than or --size.");
  }
  const seconds = parseDuration(olderThan ?? "0s");
  if (seconds === undefined) {
    throw optionError("--older-than", `--older-than: ${olderThan} is not a duration.`, "Write it like 12h or 30d.");
  }
  const bytes = parseBytes(size ?? "0");
  if (bytes === undefined) {
    throw optionError("--size", `--size: ${size} is not a size.`, "Write it like 512MiB or 1GiB.");
  }
  using place = await openPlace(repository);
  const runs = await listResults(place);
  const gone = beyondLimits(runs, {
    ...(olderThan === undefined ? {} : { before: new Date(Date.now() - seconds * 1000) }),
    ...(size === undefined ? {} : { bytes }),
  });
  await removeResults(place, gone);
  if (olderThan !== undefined) {
    const left = runs.filter((run) => !gone.includes(run));
    const files = await unnamedFiles(place, left, new Date(Date.now() - seconds * 1000));
    await removeFiles(place, files);
    if (files.length > 0) notice(`Removed ${files.length} files of functions that no result names.`);
  }
  print(gone, json);
});

function print(runs: readonly ListedRun[], json: boolean) {
  const shown = runs.map(({ tag, scope, items, size, stored }) => ({ run: tag, ...scope, items, size, stored }));
  if (json) return printJson(shown);
  const rowOf = ({ run, function: name, items, size, stored }: (typeof shown)[number]) =>
    [run, name, `${items} results`, formatBytes(size), stored.toISOString()] as const;
  process.stdout.write(columns(shown.map(rowOf)));
}

async function openPlace(text: string): Promise<ResultPlace & Disposable> {
  const { registry, repository } = parseReference(text);
  const client = await openRunning(normalizeRegistry(registry));
  return { client, repository, onNotice: notice, [Symbol.dispose]: () => client.close() };
}

function absent(repository: string, name: string): UserError {
  return new UserError(
    { code: "results-not-found", culprit: name },
    `${repository} has no results of the function or run ${name}.`,
    `\`slipway results ls ${repository}\` lists them.`,
  );
}
