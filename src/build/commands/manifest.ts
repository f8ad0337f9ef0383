import { type BuildStatus, parseBuildStatus } from "../../core/build-status.ts";
import { type BaseImage, composeImage, type ImageSpec } from "../../oci/compose.ts";
import { canonicalJson, type JsonNode, parseJson } from "../../oci/json.ts";
import { parseLayerMetadata } from "../../oci/layer.ts";
import { Arguments, argumentError } from "../arguments.ts";
import type { Context } from "../context.ts";
import { parseMap, stampedMap } from "../stamped-map.ts";

/**
 * `manifest --manifest=OUT --config=OUT --descriptor=OUT [--base-manifest=PATH --base-config=PATH] [--layer=METADATA]…
 * [--unless-in-base=METADATA]… [--labels=PATH] [--annotations=PATH] [--status=PATH]… --spec=JSON`: assembles an image
 * from its layers' metadata, without reading layers. A `--layer` that is also in `--unless-in-base` is omitted if the
 * base has it. `{NAME}` in labels and annotations stands for a variable of the build status, in `--status`.
 */
export async function manifest(args: readonly string[], context: Context): Promise<void> {
  const inputs = ["base-manifest", "base-config", "layer", "unless-in-base", "labels", "annotations", "status", "spec"];
  const options = new Arguments(args, ["manifest", "config", "descriptor", ...inputs], context);
  const base = readBase(options);
  const unlessInBase = options.all("unless-in-base");
  const image = composeImage({
    ...(base ? { base } : {}),
    layers: options.all("layer").map((path) => ({
      ...parseLayerMetadata(options.read(path), path),
      unlessInBase: unlessInBase.includes(path),
    })),
    spec: stamped(parseSpec(options.one("spec")), options),
  });
  options.write({ manifest: image.manifest, config: image.config, descriptor: canonicalJson(image.descriptor) });
}

function stamped(spec: ImageSpec, options: Arguments): ImageSpec {
  const read = (path: string) => options.read(path).toString("utf8");
  const paths = options.all("status");
  const status: BuildStatus | undefined = paths.length > 0 ? parseBuildStatus(paths.map(read)) : undefined;
  const mapOf = (field: "labels" | "annotations") => {
    const path = options.optional(field);
    return stampedMap(field, { ...(path === undefined ? {} : parseMap(read(path), path)), ...spec[field] }, status);
  };
  return { ...spec, labels: mapOf("labels"), annotations: mapOf("annotations") };
}

function readBase(options: Arguments): BaseImage | undefined {
  const manifestPath = options.optional("base-manifest");
  const configPath = options.optional("base-config");
  if (manifestPath === undefined && configPath === undefined) return undefined;
  if (manifestPath === undefined || configPath === undefined) {
    const missing = `--base-${manifestPath === undefined ? "manifest" : "config"}`;
    throw argumentError(missing, `${missing} is missing.`, "Give both --base-manifest and --base-config, or neither.");
  }
  return {
    manifest: options.read(manifestPath),
    config: options.read(configPath),
    name: `the base image (${manifestPath})`,
  };
}

const specTexts = ["os", "architecture", "variant", "user", "defaultUser", "defaultHome", "workingDir"];
const specLists = ["entrypoint", "cmd"];
/** A later time is not RFC 3339. */
const lastEpoch = 253_402_300_799;
const specMaps = ["env", "labels", "annotations"];

function parseSpec(text: string): ImageSpec {
  const spec = parseJson(text, "--spec", undefined, { code: "command-line-invalid" });
  for (const key of Object.keys(spec.object())) {
    const field: JsonNode = spec.get(key);
    if (specTexts.includes(key)) field.string();
    else if (specLists.includes(key)) field.strings();
    else if (specMaps.includes(key)) field.stringMap();
    else if (key === "epoch") checkEpoch(field);
    else field.fail("is not known");
  }
  return spec.value as ImageSpec;
}

function checkEpoch(field: JsonNode): void {
  const { value } = field;
  const isTime = typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= lastEpoch;
  if (!isTime) field.fail("is not a whole number of seconds since 1970, up to the year 9999");
}
