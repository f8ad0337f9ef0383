import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { type RegistryClient, referrersTag } from "../../src/registry/client/client.ts";
import { copyImage } from "../../src/registry/client/copy.ts";
import { fetchManifest } from "../../src/registry/client/fetch-manifest.ts";
import { pushImages } from "../../src/registry/client/push.ts";
import { imageOf } from "../../src/registry/client/testdata/images.ts";
import { attachReferrer, removeImage } from "../../src/registry/referrers.ts";
import { registries } from "./testdata/registries.ts";

const run = promisify(execFile);
const repository = "team/app";
const artifactType = "application/spdx+json";

/** An image with two artifacts, the second one of which refers to the first. */
async function attachedImage(client: RegistryClient): Promise<{ image: Digest; attached: readonly Descriptor[] }> {
  const image = imageOf(client, { repository, tags: ["v1"], layers: ["layer"] });
  await pushImages([image], { check: "tags" });
  const { descriptor } = await fetchManifest(client, repository, "v1");
  const artifact = (content: string) => ({ artifactType, mediaType: artifactType, content: Buffer.from(content) });
  const sbom = await attachReferrer(client, repository, descriptor, artifact("sbom"));
  const signature = await attachReferrer(client, repository, sbom, artifact("signature"));
  return { image: descriptor.digest, attached: [sbom, signature] };
}

describe.each(Object.keys(registries))("referrers in %s", (name) => {
  const start = registries[name] as (typeof registries)[string];

  it("are seen by oras and regctl", async () => {
    const { client, host, env } = await start();
    const { image, attached } = await attachedImage(client);
    const [sbom, signature] = attached.map(({ digest }) => digest);
    const reference = `${host}/${repository}@${image}`;
    const oras = await run("oras", ["discover", "--plain-http", "--format=json", reference], { env });
    expect(JSON.parse(oras.stdout).referrers).toEqual([
      expect.objectContaining({
        digest: sbom,
        artifactType,
        referrers: [expect.objectContaining({ digest: signature })],
      }),
    ]);
    const regctl = await run("regctl", ["artifact", "list", "--format={{json .}}", reference], { env });
    expect(JSON.parse(regctl.stdout).descriptors).toEqual([expect.objectContaining({ digest: sbom, artifactType })]);
  });

  it("of other tools are seen, and removed with the image, without an orphan", async () => {
    const { client, host, env } = await start();
    const { image, attached } = await attachedImage(client);
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "content"), "content");
    const subject = `${host}/${repository}@${image}`;
    await run("oras", ["attach", "--plain-http", "--artifact-type=text/x", subject, "content:text/x"], { cwd, env });
    const listed = await client.referrers(repository, image);
    expect(listed.map(({ artifactType }) => artifactType).sort()).toEqual([artifactType, "text/x"]);
    expect(await removeImage(client, repository, image)).toBe(true);
    for (const { digest } of [...attached, ...listed]) {
      expect(await client.headManifest(repository, digest)).toBeUndefined();
    }
    // Crane's registry keeps tags of an image that was deleted by digest.
    expect((await client.listTags(repository)).filter((tag) => tag !== "v1")).toEqual([]);
    for (const { digest } of [...attached, { digest: image }]) {
      expect(await client.headManifest(repository, referrersTag(digest))).toBeUndefined();
    }
  });

  it("are copied to another registry, and not sent twice", async () => {
    const [source, target] = [await start(), await start()];
    const { image } = await attachedImage(source.client);
    const fetched = await fetchManifest(source.client, repository, "v1");
    const [from, to] = [source, target].map(({ client }) => ({ client, repository }));
    const copy = () => copyImage({ from: from as never, to: to as never, fetched, tags: ["v1"], referrers: true });
    await copy();
    const expected = await source.client.referrers(repository, image);
    expect(await target.client.referrers(repository, image)).toEqual(expected);
    const [sbom] = expected;
    expect(await target.client.referrers(repository, (sbom as Descriptor).digest)).toHaveLength(1);
    await copy();
    expect(await target.client.referrers(repository, image)).toEqual(expected);
  });

  it("of writers at once are all listed", async () => {
    const { client, host, env } = await start();
    const { image } = await attachedImage(client);
    const subject = { mediaType: mediaTypes.manifest, digest: image, size: 1 };
    const { descriptor } = await fetchManifest(client, repository, image);
    const contents = Array.from({ length: 5 }, (_, index) => `document ${index}`);
    await Promise.all(
      contents.map((content) =>
        attachReferrer(
          client,
          repository,
          { ...subject, size: descriptor.size },
          {
            artifactType,
            mediaType: artifactType,
            content: Buffer.from(content),
          },
        ),
      ),
    );
    const listed = await run("oras", ["discover", "--plain-http", "--format=json", `${host}/${repository}@${image}`], {
      env,
    });
    expect(JSON.parse(listed.stdout).referrers).toHaveLength(6);
  });
});
