import process from "node:process";
import { renderFile, resolveOutside } from "../../service/kubernetes/render-file.ts";
import { manifestsAsJson, manifestsAsYaml } from "../../service/kubernetes/text.ts";
import { userPath } from "./user-path.ts";

/** How a command line names services to render, and how. */
interface RenderOptions {
  readonly file: string;
  readonly json: boolean;
  readonly resolve: boolean;
}

/** Prints what a file's services are in Kubernetes. Asks no cluster, and registries and git servers only where names are to be resolved. */
export async function printManifests({ file, json, resolve }: RenderOptions): Promise<void> {
  const rendered = await renderFile(
    userPath(file),
    file,
    process.env,
    resolve ? (document) => resolveOutside(document, process.env) : undefined,
  );
  const manifests = rendered.flatMap((each) => each.manifests);
  process.stdout.write(json ? manifestsAsJson(manifests) : manifestsAsYaml(manifests));
}
