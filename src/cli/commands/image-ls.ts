import { UserError } from "../../core/errors.ts";
import { parseReference } from "../../oci/reference.ts";
import { isRegistry, normalizeRegistry } from "../../oci/registry-host.ts";
import { embeddedHost } from "../../registry/open-by-name.ts";
import { openRunning } from "../../registry/open-running.ts";
import { command } from "../command.ts";
import { json, text } from "./options.ts";
import { listedRepositories } from "./registry-store.ts";

const repository = text("REGISTRY/REPOSITORY. Default: list the repositories of the embedded registry");

export const ls = command({ repository, json }, async ({ repository, json }) => {
  const names = await namesOf(repository);
  process.stdout.write(json ? `${JSON.stringify(names)}\n` : names.map((name) => `${name}\n`).join(""));
});

async function namesOf(text: string | undefined): Promise<readonly string[]> {
  if (text === undefined || text === embeddedHost()) return listedRepositories();
  if (/[.:]|^localhost$/.test(text) && !text.includes("/") && isRegistry(text)) {
    throw new UserError(
      { code: "reference-invalid", culprit: text },
      `${text} is a registry, and not every registry can list its repositories.`,
      `Name a repository: ${text}/REPOSITORY.`,
    );
  }
  const { registry, repository, tag, digest } = parseReference(text);
  if (tag !== undefined || digest !== undefined) {
    throw new UserError(
      { code: "reference-invalid", culprit: text },
      `${text} names one image, not a repository.`,
      `Show it with \`slipway image inspect ${text}\`, or leave out the tag and the digest.`,
    );
  }
  using client = await openRunning(normalizeRegistry(registry));
  const tags = await client.listTags(repository);
  if (tags.length > 0) return tags;
  throw new UserError(
    { code: "image-not-found", culprit: `${registry}/${repository}` },
    `Registry ${registry} has no tags in ${repository}.`,
    "Check the names of registry and repository.",
  );
}
