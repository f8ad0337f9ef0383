import process from "node:process";
import { renderFile, resolveOutside } from "../../service/kubernetes/render-file.ts";
import { manifestsAsJson, manifestsAsYaml } from "../../service/kubernetes/text.ts";
import { type FileOptions, fileOf } from "./service-file.ts";

/** How a command line names services to render, and how. */
interface RenderOptions extends FileOptions {
  readonly json: boolean;
  readonly resolve: boolean;
}

/** Prints what a file's services are in Kubernetes. Asks no cluster, and registries and git servers only where names are to be resolved. */
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
  process.stdout.write(options.json ? manifestsAsJson(manifests) : manifestsAsYaml(manifests));
}
