import { printable } from "../../core/printable.ts";
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
  readonly for: "slipway" | "sematic";
  readonly module: readonly string[];
  readonly platform?: string | undefined;
  readonly json: boolean;
}

/** Sets exit status 1 if a requirement is not met. */
export async function check(options: Options): Promise<void> {
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
  return `${[head, ...lines].map(printable).join("\n")}\n`;
}
