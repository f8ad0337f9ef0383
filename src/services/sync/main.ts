import process from "node:process";
import { exitStatusOf, UserError } from "../../core/errors.ts";
import { escapeText } from "../../core/printable.ts";
import { reportUncaught } from "../../core/unexpected.ts";
import { endReport } from "../../core/wire-error.ts";
import type { ContentKind } from "../content.ts";

const kinds: Readonly<Record<ContentKind, (args: readonly string[]) => Promise<void>>> = {
  models: async (args) => (await import("./models.ts")).syncModels(args),
  repositories: async (args) => (await import("./repositories.ts")).syncRepositories(args),
};

/** `sync KIND --volume=FOLDER …` fetches content into a volume and ends. */
async function main([kind = "", ...args]: readonly string[]): Promise<void> {
  const sync = Object.hasOwn(kinds, kind) ? kinds[kind as ContentKind] : undefined;
  if (!sync) {
    throw new UserError(
      { code: "command-line-invalid", culprit: kind },
      `${JSON.stringify(kind)} is not a kind of content.`,
      `Known: ${Object.keys(kinds).join(", ")}.`,
    );
  }
  await sync(args);
}

// The first process of a container ignores signals without a handler.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(143));

reportUncaught();
escapeText(process.stderr);
main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${endReport(error)}\n`);
  process.exit(exitStatusOf(error));
});
