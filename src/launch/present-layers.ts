import type { Environment } from "../core/environment.ts";
import type { ContainerClient } from "../engine/container/client.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import type { ArchivedImage } from "./archive.ts";
import { runClient } from "./client-command.ts";

/**
 * The layers of an image that an engine has already, in images of its own: those that an archive for it need not have.
 *
 * podman (tried with 4.3) reads from an OCI archive those layers alone that it lacks. What docker does without some depends on where it keeps images, and
 * was not tried: it is sent all.
 *
 * @returns digests of blobs; none where the engine does not say
 */
export async function presentLayers(
  client: ContainerClient,
  image: Pick<ArchivedImage, "manifest" | "configBytes">,
  env: Environment,
): Promise<ReadonlySet<Digest>> {
  if (client.name !== "podman") return new Set();
  const ids = await runClient(client, ["image", "ls", "--quiet", "--no-trunc"], env);
  const known = [...new Set(ids.stdout.split(/\s+/).filter((id) => id !== ""))];
  if (ids.status !== 0 || known.length === 0) return new Set();
  const format = "{{range .RootFS.Layers}}{{println .}}{{end}}";
  // One that is removed meanwhile is an error, and the others are told nevertheless.
  const { stdout } = await runClient(client, ["image", "inspect", "--format", format, ...known], env);
  const present = new Set(stdout.split(/\s+/));
  const config = JSON.parse(Buffer.from(image.configBytes).toString("utf8")) as ImageConfig;
  const diffIds = config.rootfs.diff_ids;
  return new Set(
    image.manifest.layers.flatMap(({ digest }, at) => (present.has(diffIds[at] as string) ? [digest] : [])),
  );
}
