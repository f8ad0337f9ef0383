import { resolve } from "node:path";
import process from "node:process";
import { readInstanceTypes } from "../../service/instance-types.ts";
import { renderService } from "../../service/kubernetes/render.ts";
import { manifestsAsJson, manifestsAsYaml } from "../../service/kubernetes/text.ts";
import { readServices } from "../../service/read.ts";
import { refuseUnsupported } from "../../service/supported.ts";

/** Prints what a file's services are in Kubernetes. Asks no cluster, no registry and no credential. */
export async function printManifests({ file, json }: { readonly file: string; readonly json: boolean }): Promise<void> {
  const types = await readInstanceTypes(process.env);
  // `bazel run` starts programs in their runfiles, and says where the user is.
  const path = resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? process.cwd(), file);
  const documents = await readServices(path, file, Object.keys(types));
  for (const document of documents) refuseUnsupported(document);
  const manifests = documents.flatMap(({ service }) =>
    renderService(service, service.instanceType === undefined ? undefined : types[service.instanceType]),
  );
  process.stdout.write(json ? manifestsAsJson(manifests) : manifestsAsYaml(manifests));
}
