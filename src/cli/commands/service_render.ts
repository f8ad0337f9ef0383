import process from "node:process";
import { renderFile } from "../../service/kubernetes/render-file.ts";
import { manifestsAsJson, manifestsAsYaml } from "../../service/kubernetes/text.ts";
import { userPath } from "./user-path.ts";

/** Prints what a file's services are in Kubernetes. Asks no cluster, no registry and no credential. */
export async function printManifests({ file, json }: { readonly file: string; readonly json: boolean }): Promise<void> {
  const rendered = await renderFile(userPath(file), file, process.env);
  const manifests = rendered.flatMap((each) => each.manifests);
  process.stdout.write(json ? manifestsAsJson(manifests) : manifestsAsYaml(manifests));
}
