import type { ContainerClient } from "../containers/client.ts";
import type { Environment } from "../core/environment.ts";
import { runProgram } from "../core/run-program.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import type { ArchivedImage } from "./archive.ts";

/** Podman reads only missing layers from an OCI archive; docker gets all, as its image store decides. */
export async function presentLayers(
  client: ContainerClient,
  image: Pick<ArchivedImage, "manifest" | "configBytes">,
  env: Environment,
): Promise<ReadonlySet<Digest>> {
  if (client.name !== "podman") return new Set();
  const ids = await runProgram(client.path, ["image", "ls", "--quiet", "--no-trunc"], { env });
  const known = [...new Set(ids.stdout.match(/\S+/g) ?? [])];
  if (ids.status !== 0 || known.length === 0) return new Set();
  const format = "{{range .RootFS.Layers}}{{println .}}{{end}}";
  // Ignore the status: if an image is removed meanwhile, the others are still listed.
  const { stdout } = await runProgram(client.path, ["image", "inspect", "--format", format, ...known], { env });
  const present = new Set(stdout.split(/\s+/));
  const config = JSON.parse(Buffer.from(image.configBytes).toString("utf8")) as ImageConfig;
  const diffIds = config.rootfs.diff_ids;
  return new Set(
    image.manifest.layers.flatMap(({ digest }, at) => (present.has(diffIds[at] as string) ? [digest] : [])),
  );
}
