import { JsonProgress } from "../registry/client/json-progress.ts";
import type { Report, Shipment } from "./push-images.ts";

/**
 * Tells programs how a push goes by the lines of {@link JsonProgress}, and these in the end, one for every image:
 *
 *     {"event":"reference","image","tag","reference"}          `tag` is the key of `bases`
 */
export class JsonReport extends JsonProgress implements Report {
  /** What a push gives. */
  references(references: readonly string[], shipments: readonly Shipment[]): void {
    for (const [index, { image }] of shipments.entries()) {
      const reference = references[index] ?? "";
      this.say({ event: "reference", image: reference.split("@", 1)[0], tag: image.requested.tag, reference });
    }
  }
}
