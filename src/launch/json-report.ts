import { JsonProgress } from "../registry/client/json-progress.ts";
import type { Report, Shipment } from "./push-images.ts";

/**
 * Reports a push to programs: the lines of {@link JsonProgress}, then one line per image:
 *
 *     {"event":"reference","image","tag","reference"}          `tag` is the key of `bases`
 */
export class JsonReport extends JsonProgress implements Report {
  references(references: readonly string[], shipments: readonly Shipment[]): void {
    for (const [index, { image }] of shipments.entries()) {
      const reference = references[index] ?? "";
      this.say({ event: "reference", image: reference.split("@", 1)[0], tag: image.requested.tag, reference });
    }
  }
}
