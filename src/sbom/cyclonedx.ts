import type { ImageContents, SbomFormat } from "./contents.ts";

function cyclonedxDocument({ name }: ImageContents): string {
  return `${JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", metadata: { component: { type: "container", name } } })}\n`;
}

/** CycloneDX 1.6 as JSON. */
export const cyclonedx: SbomFormat = {
  mediaType: "application/vnd.cyclonedx+json",
  format: cyclonedxDocument,
};
