import { formatBytes } from "../config/quantity.ts";
import type { Environment } from "../core/environment.ts";
import { shellQuote } from "../core/shell-quote.ts";
import { builtImages, customImage } from "../oci/image-uris.ts";
import { type Destinations, embedded, type OpenDestination } from "./destination.ts";
import { imageReference } from "./environment.ts";
import { print } from "./output.ts";
import type { Shipment } from "./push-images.ts";

/** Asks registries, but changes nothing and does not start the embedded one. */
export async function describeShipments(
  shipments: readonly Shipment[],
  destinations: Destinations,
  check: "digest" | "tags",
): Promise<void> {
  const lines = await Promise.all(shipments.map((shipment) => describe(shipment, destinations, check)));
  for (const line of lines) print(`${line}\n`);
}

async function describe(shipment: Shipment, destinations: Destinations, check: "digest" | "tags"): Promise<string> {
  const { image, destination, repository, tags } = shipment;
  const open = await openIfRunning(destination, destinations);
  const reference = imageReference(image, open?.host ?? destinations.knownHost(destination), repository);
  const named = tags.length > 0 ? ` as ${tags.join(", ")}` : "";
  if (!open) return `would start the embedded registry and push what it lacks of ${reference}${named}`;
  const { digest } = image.descriptor;
  if (await open.client.headManifest(repository, digest)) {
    const wrong = check === "tags" ? await wrongTags(shipment, open) : [];
    return wrong.length > 0
      ? `would tag ${reference} as ${wrong.join(", ")}`
      : `nothing to push: ${reference} is there`;
  }
  const { blobs } = image.content(open.host);
  const lacking = await Promise.all(
    blobs.map(async (blob) =>
      (await open.client.headBlob(repository, blob.descriptor.digest)) === undefined ? [blob] : [],
    ),
  );
  const missing = lacking.flat();
  const bytes = formatBytes(missing.reduce((sum, { descriptor }) => sum + descriptor.size, 0));
  const caches = new Set(missing.flatMap(({ origin }) => (origin?.kind === "cache" ? [origin.host] : [])));
  const from = caches.size > 0 ? `, from ${[...caches].join(", ")} what is not on this machine` : "";
  return `would push ${reference}${named}: ${missing.length} of ${blobs.length} blobs, ${bytes}${from}`;
}

/** Undefined for an embedded registry that is not running. */
async function openIfRunning(destination: Shipment["destination"], destinations: Destinations) {
  if (destination !== embedded) return destinations.open(destination);
  const seen = await destinations.lastSeenEmbedded();
  return seen && destinations.openSeen(seen);
}

async function wrongTags(shipment: Shipment, open: OpenDestination): Promise<string[]> {
  const { image, repository, tags } = shipment;
  const current = await Promise.all(tags.map((tag) => open.client.headManifest(repository, tag)));
  return tags.filter((_, index) => current[index]?.digest !== image.descriptor.digest);
}

export function describeRun(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  env: Environment,
): void {
  const changed = Object.keys(environment).filter((name) => environment[name] !== env[name]);
  const variables = [...new Set([customImage, builtImages, ...changed])].flatMap((name) =>
    environment[name] === undefined ? [] : [`${name}=${shellQuote(environment[name])}`],
  );
  print(`would run ${[...variables, ...[program, ...args].map(shellQuote)].join(" ")}\n`);
}
