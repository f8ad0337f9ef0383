import { printable } from "../../core/printable.ts";
import type { Digest } from "../../oci/digest.ts";
import { isIndex } from "../../oci/manifest.ts";
import { fetchManifest } from "../../registry/client/fetch-manifest.ts";
import { findReferrers, type Referrer } from "../../registry/referrers.ts";
import { command } from "../command.ts";
import { type NamedImage, openImage, platformName, referenceTo } from "../image/named-image.ts";
import { image, json } from "./options.ts";
import { printJson } from "./output.ts";

interface Node {
  readonly digest: Digest;
  /** Type of an artifact, or platform of an image in an index. */
  readonly artifactType?: string;
  readonly platform?: string;
  readonly size: number;
  readonly tag?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly referrers: readonly Node[];
  readonly images?: readonly Node[];
}

/** Lists also what refers to the images of an index. */
export const referrers = command({ image, json }, async (options) => {
  using image = await openImage(options.image);
  const root = await describe(image);
  const reference = referenceTo(image, root.digest);
  if (options.json) printJson({ reference, ...root });
  else process.stdout.write(`${[reference, ...linesOf(root)].map(printable).join("\n")}\n`);
});

async function describe({ client, repository, name }: NamedImage): Promise<Node> {
  const { descriptor, manifest } = await fetchManifest(client, repository, name);
  const find = async (digest: Digest) => (await findReferrers(client, repository, digest)).map(nodeOf);
  const images = await Promise.all(
    (isIndex(manifest) ? manifest.manifests : []).map(async (each) => {
      const { digest, size } = each;
      return { digest, size, platform: platformName(each), referrers: await find(digest) };
    }),
  );
  const { digest, size } = descriptor;
  return { digest, size, referrers: await find(digest), ...(images.length > 0 ? { images } : {}) };
}

function nodeOf({ descriptor, tag, referrers }: Referrer): Node {
  const { digest, size, artifactType, annotations } = descriptor;
  return {
    digest,
    ...(artifactType === undefined ? {} : { artifactType }),
    size,
    ...(tag === undefined ? {} : { tag }),
    ...(annotations ? { annotations } : {}),
    referrers: referrers.map(nodeOf),
  };
}

function linesOf({ referrers, images = [] }: Node): string[] {
  const nodes = [...referrers, ...images];
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    const kind = node.platform ?? node.artifactType ?? node.tag ?? "unknown type";
    const below = linesOf(node).map((line) => `${isLast ? "   " : "│  "}${line}`);
    return [`${isLast ? "└─" : "├─"} ${kind} ${node.digest}`, ...below];
  });
}
