import { printable } from "../../core/printable.ts";
import { formatPlatform } from "../../oci/descriptor.ts";
import { command } from "../command.ts";
import { CheckedImage } from "../image/check/image.ts";
import { checkRequirements, type Outcome } from "../image/check/requirement.ts";
import { sematicRequirements } from "../image/check/sematic.ts";
import { slipwayRequirements } from "../image/check/slipway.ts";
import { fetchImage, openImage, referenceTo } from "../image/named-image.ts";
import { optionError } from "../usage-error.ts";
import { image, json, list, platform } from "./options.ts";

export const check = command(
  {
    image,
    for: {
      choices: ["slipway", "sematic"],
      default: "slipway" as "slipway" | "sematic",
      describe: "Requirements to check",
    },
    module: {
      ...list("Python modules that the image must contain, with --for sematic"),
      default: [] as readonly string[],
    },
    platform,
    json,
  },
  async (options) => {
    if (options.module.length > 0 && options.for !== "sematic") {
      throw optionError("--module", "--module is only for --for sematic.", "Leave it out, or add --for sematic.");
    }
    using image = await openImage(options.image);
    const fetched = await fetchImage(image, options.platform);
    const checked = await CheckedImage.read(image, fetched);
    const requirements = options.for === "sematic" ? sematicRequirements(options.module) : slipwayRequirements;
    const outcomes = await checkRequirements(checked, requirements);
    const name = referenceTo(image, fetched.descriptor.digest);
    const platform = formatPlatform(checked.config);
    const isMet = outcomes.every(({ status }) => status === "met");
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ image: name, platform, for: options.for, met: isMet, requirements: outcomes.map(jsonOf) })}\n`
        : text(`${name} (${platform}), for ${options.for}`, outcomes),
    );
    if (!isMet) process.exitCode = 1;
  },
  (yargs) =>
    yargs.example(
      "$0 image check registry.example.com/team/app:v1",
      "Check an image before you set SLIPWAY_CONTAINER_IMAGE to it",
    ),
);

function jsonOf({ requirement, ...outcome }: Outcome): object {
  return { id: requirement.id, title: requirement.title, ...outcome };
}

const marks = { met: "ok        ", failed: "NOT MET   ", untested: "not tested" };

function text(head: string, outcomes: readonly Outcome[]): string {
  const lines = outcomes.flatMap((outcome) => {
    const line = `${marks[outcome.status]}  ${outcome.requirement.id.padEnd(10)}  ${outcome.requirement.title}`;
    if (outcome.status !== "failed") return [line];
    return [line, `            ${outcome.where}: ${outcome.problem}.`, `            ${outcome.remedy}`];
  });
  return `${[head, ...lines].map(printable).join("\n")}\n`;
}
