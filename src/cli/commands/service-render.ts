import process from "node:process";
import { renderFile, resolveOutside } from "../../services/kubernetes/render-file.ts";
import { manifestsAsJson, manifestsAsYaml } from "../../services/kubernetes/text.ts";
import { type FileOptions, fileOf } from "./service-file.ts";

/** The options of `service render`. */
interface RenderOptions extends FileOptions {
  readonly json: boolean;
  readonly resolve: boolean;
}

/** Prints the manifests of a file's services without contacting the cluster. Contacts registries and git servers only with `--resolve`. */
export async function printManifests(options: RenderOptions): Promise<void> {
  const { path, name, image } = fileOf(options);
  const rendered = await renderFile(
    path,
    name,
    process.env,
    options.resolve ? (document) => resolveOutside(document, process.env) : undefined,
    image,
  );
  const manifests = rendered.flatMap((each) => each.manifests);
  // Bytes: kubectl reads the documents as they are.
  process.stdout.write(Buffer.from(options.json ? manifestsAsJson(manifests) : manifestsAsYaml(manifests)));
}
