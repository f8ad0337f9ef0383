import { canonicalJson } from "../../oci/json.ts";
import { isIndex } from "../../oci/manifest.ts";
import { Arguments } from "../arguments.ts";
import type { Context } from "../context.ts";
import { OciLayout } from "../oci-layout.ts";

/**
 * `import --layout=DIR [--platform=OS/ARCHITECTURE[/VARIANT]] --manifest=OUT --config=OUT --descriptor=OUT`: extracts
 * an image, byte for byte. Without a platform, the layout's only image or index; for an index, CONFIG is empty.
 */
export async function importLayout(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["layout", "platform", "manifest", "config", "descriptor"], context);
  const folder = options.one("layout");
  const layout = new OciLayout(folder, options.resolve(folder));
  const platform = options.optional("platform");
  const descriptor = platform === undefined ? layout.only() : layout.imageFor(platform);
  const { bytes, manifest } = layout.manifest(descriptor);
  const config = isIndex(manifest) ? undefined : layout.config(manifest);
  options.write({
    manifest: bytes,
    config: config?.bytes ?? new Uint8Array(),
    descriptor: canonicalJson({
      mediaType: manifest.mediaType,
      digest: descriptor.digest,
      size: bytes.length,
      ...(config ? { platform: config.platform } : {}),
    }),
  });
}
