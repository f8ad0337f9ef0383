import { UserError } from "../../core/errors.ts";
import { formatReference } from "../../oci/reference.ts";
import { copyImage } from "../../registry/client/copy.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { JsonProgress } from "../../registry/client/json-progress.ts";
import type { PushEvent } from "../../registry/client/push.ts";
import { command } from "../command.ts";
import { fetchImage, type NamedImage, openImage } from "../image/named-image.ts";
import { progressOf } from "../progress.ts";
import { flag, image, required, text } from "./options.ts";

export const copy = command(
  {
    source: image,
    destination: required("REGISTRY/REPOSITORY[:TAG]. Default tag: the source's"),
    platform: text("Copy only this platform of an index, os/architecture[/variant]. Default: the whole index"),
    referrers: flag("Also copy artifacts that refer to the image: signatures, attestations"),
    json: flag("Print one JSON object per event, sizes in bytes; the last one has the reference"),
  },
  async (options) => {
    using from = await openImage(options.source);
    using to = await openImage(options.destination);
    const progress = progressOf(options.json);
    let isUnchanged = true;
    const onEvent = (event: PushEvent) => {
      if (event.type === "image" && event.outcome !== "unchanged") isUnchanged = false;
      progress.onEvent(event);
    };
    try {
      const fetched =
        options.platform === undefined
          ? await fetchManifest(from.client, from.repository, from.name)
          : await fetchImage(from, options.platform);
      const { digest } = fetched.descriptor;
      await copyImage({ from, to, fetched, tags: tagsOf(from, to, digest), referrers: options.referrers, onEvent });
      progress.finish();
      const { registry, repository } = to.reference;
      const reference = formatReference({ registry, repository, digest });
      if (progress instanceof JsonProgress) progress.say({ event: "reference", reference });
      else {
        if (isUnchanged) process.stderr.write("no image had to be moved\n");
        process.stdout.write(`${reference}\n`);
      }
    } finally {
      progress.finish();
    }
  },
  (yargs) =>
    yargs.example("$0 image copy ubuntu:24.04 registry.example.com/base/ubuntu", "Mirror an image for all platforms"),
);

function tagsOf(from: NamedImage, to: NamedImage, digest: string): string[] {
  const named = to.reference;
  if (named.digest !== undefined && named.digest !== digest) {
    throw new UserError(
      { code: "reference-invalid", culprit: formatReference(named) },
      `The destination has the digest ${named.digest}, but the source has ${digest}.`,
      "Leave out the digest of the destination, or name the source with this digest.",
    );
  }
  if (named.tag !== undefined) return [named.tag];
  if (named.digest !== undefined || from.reference.digest !== undefined) return [];
  return [from.name];
}
