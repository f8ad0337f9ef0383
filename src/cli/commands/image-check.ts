import type { ArgumentsCamelCase, Argv } from "yargs";
import { formatPlatform } from "../../oci/descriptor.ts";
import { formatReference } from "../../oci/reference.ts";
import { CheckedImage } from "../image/check/image.ts";
import { checkRequirements, type Outcome } from "../image/check/requirement.ts";
import { sematicRequirements } from "../image/check/sematic.ts";
import { slipwayRequirements } from "../image/check/slipway.ts";
import { fetchImage, openImage } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";

interface Options {
  readonly image: string;
  readonly for: string;
  readonly module: readonly string[];
  readonly platform?: string | undefined;
  readonly json: boolean;
}

export const command = "check <image>";
export const describe = "Check an image against the requirements of Slipway or Sematic, without running it";

export function builder(yargs: Argv): Argv<Options> {
  return yargs
    .positional("image", { type: "string", demandOption: true, describe: "REGISTRY/REPOSITORY:TAG or …@sha256:DIGEST" })
    .option("for", { choices: ["slipway", "sematic"], default: "slipway", describe: "Requirements to check" })
    .option("module", {
      type: "string",
      array: true,
      default: [],
      describe: "Python modules that the image must contain, with --for sematic",
    })
    .option("platform", {
      type: "string",
      describe: "Platform to pick from an index, os/architecture[/variant]. Default: Linux on this machine's processor",
    })
    .option("json", { type: "boolean", default: false, describe: "Print JSON" })
    .example(
      "$0 image check registry.example.com/team/app:v1",
      "Check an image before you set SLIPWAY_CONTAINER_IMAGE to it",
    );
}

/** Sets exit status 1 if a requirement is not met. */
export async function handler(options: ArgumentsCamelCase<Options>): Promise<void> {
  if (options.module.length > 0 && options.for !== "sematic") {
    throw optionError("--module", "--module is only for --for sematic.", "Leave it out, or add --for sematic.");
  }
  const image = await openImage(options.image);
  try {
    const fetched = await fetchImage(image, options.platform);
    const checked = await CheckedImage.read(image, fetched);
    const requirements = options.for === "sematic" ? sematicRequirements(options.module) : slipwayRequirements;
    const outcomes = await checkRequirements(checked, requirements);
    const { registry, repository } = image.reference;
    const name = formatReference({ registry, repository, digest: fetched.descriptor.digest });
    const platform = formatPlatform(checked.config);
    const isMet = outcomes.every(({ status }) => status === "met");
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ image: name, platform, for: options.for, met: isMet, requirements: outcomes.map(json) })}\n`
        : text(`${name} (${platform}), for ${options.for}`, outcomes),
    );
    if (!isMet) process.exitCode = 1;
  } finally {
    image.client.close();
  }
}

function json({ requirement, ...outcome }: Outcome): object {
  return { id: requirement.id, title: requirement.title, ...outcome };
}

const marks = { met: "ok        ", failed: "NOT MET   ", untested: "not tested" };

function text(head: string, outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap((outcome) => {
    const line = `${marks[outcome.status]}  ${outcome.requirement.id.padEnd(10)}  ${outcome.requirement.title}`;
    if (outcome.status !== "failed") return [line];
    return [line, `            ${outcome.where}: ${outcome.problem}.`, `            ${outcome.remedy}`];
  });
  return `${[head, ...lines].join("\n")}\n`;
}
