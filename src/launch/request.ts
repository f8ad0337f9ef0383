import { readFileSync } from "node:fs";
import { Failure } from "../core/errors.ts";
import { type JsonNode, parseJson } from "../oci/json.ts";

/** All files are paths in its runfiles. */
export interface LaunchRequest {
  readonly mode: "launch" | "binary" | "push" | "load";
  /** For errors. */
  readonly target: string;
  readonly program?: string;
  /** Talks to engines. Absent if the program needs none. */
  readonly engineHelper?: string;
  /** Where the program runs. Default: on this machine. */
  readonly runIn?: string;
  /** Of `podman run` and `docker run`, for `runIn: "image"`. */
  readonly runOptions: readonly string[];
  /** They get the same value as `SLIPWAY_CONTAINER_IMAGE_URIS`. */
  readonly imageEnv: readonly string[];
  readonly registryServer: string;
  readonly defaultRegistry: string;
  /** Files with the variables of the build status. Empty: the build is not stamped, or no tag has variables. */
  readonly buildStatus: readonly string[];
  readonly images: readonly RequestedImage[];
}

export interface RequestedImage {
  /** Its key in `bases`. */
  readonly tag: string;
  /** Default: the request's. Others are part of a push of several targets. */
  readonly target?: string;
  /** Empty: not set. */
  readonly registry: string;
  readonly repository: string;
  /** `{NAME}` stands for a variable of the build status. */
  readonly remoteTags: readonly string[];
  /** File with the tags, one per line. Replaces `remoteTags`. */
  readonly remoteTagsFile?: string;
  readonly descriptor: string;
  readonly manifest: string;
  readonly config: string;
  /** The images of an index; `descriptor` and `manifest` are then the index's. Empty for an image of one platform. */
  readonly children: readonly RequestedImage[];
  readonly blobs: readonly RequestedBlob[];
  /** OCI layouts with further content of the manifest: layers, and images of an index that was not built here. */
  readonly layouts: readonly string[];
  /** Repositories to mount or stream layers of the base from. */
  readonly sources: readonly BlobSource[];
  /** Documents about the image that a push attaches to it. Default: none. */
  readonly referrers?: readonly RequestedReferrer[];
  /** The build setting `remote_cache`: the cache with the layers that name a file beside their metadata. */
  readonly remoteCache?: string;
}

export interface RequestedBlob {
  readonly metadata: string;
  /** Absent if the blob is in a registry or a cache. */
  readonly blob?: string;
  /** Name of a file beside the metadata if the layer was made on this machine, else in the remote cache. */
  readonly beside?: string;
}

export interface RequestedReferrer {
  readonly file: string;
  /** Also the media type of the content. */
  readonly artifactType: string;
  /** Provenance of a build without `--stamp`, which names no commit: it is attached only where it is signed. */
  readonly isUnstamped?: boolean;
}

export interface BlobSource {
  readonly registry: string;
  readonly repository: string;
}

const modes = ["launch", "binary", "push", "load"] as const;

/** @throws Failure if the request cannot be read or comes from another version */
export function readRequest(path: string): LaunchRequest {
  try {
    const node = parseJson(readFileSync(path), path);
    if (node.get("version").value !== 1) node.get("version").fail("is not 1");
    const mode = modes.find((each) => each === node.get("mode").value);
    if (!mode) return node.get("mode").fail(`is not one of ${modes.join(", ")}`);
    return {
      mode,
      target: node.get("target").string(),
      ...optional("program", node.get("program")),
      ...optional("engineHelper", node.get("engineHelper")),
      ...optional("runIn", node.get("runIn")),
      runOptions: node.optional("runOptions")?.strings() ?? [],
      imageEnv: node.get("imageEnv").strings(),
      registryServer: node.get("registryServer").string(),
      defaultRegistry: node.get("defaultRegistry").string(),
      buildStatus: node.get("buildStatus").strings(),
      images: node
        .get("images")
        .items()
        .map((image) => readImage(image, optional("remoteCache", node.get("remoteCache")))),
    };
  } catch (cause) {
    const { culprit = path, problem = String(cause) } = cause as Partial<Failure>;
    const text = `The request of this run target cannot be read: ${problem.replace(/\.$/, "")}.`;
    throw new Failure({ code: "target-invalid", culprit }, text, "Build the target again.", { cause });
  }
}

function readImage(node: JsonNode, common: Pick<RequestedImage, "remoteCache">): RequestedImage {
  return {
    tag: node.get("tag").string(),
    ...optional("target", node.get("target")),
    registry: node.get("registry").string(),
    repository: node.get("repository").string(),
    remoteTags: node.get("remoteTags").strings(),
    ...optional("remoteTagsFile", node.get("remoteTagsFile")),
    descriptor: node.get("descriptor").string(),
    manifest: node.get("manifest").string(),
    config: node.get("config").string(),
    children: node
      .get("children")
      .items()
      .map((child) => readImage(child, common)),
    blobs: node.get("blobs").items().map(readBlob),
    layouts: node.get("layouts").strings(),
    sources: node.get("sources").items().map(readSource),
    referrers: node.optional("referrers")?.items().map(readReferrer) ?? [],
    ...common,
  };
}

function readBlob(node: JsonNode): RequestedBlob {
  return {
    metadata: node.get("metadata").string(),
    ...optional("blob", node.get("blob")),
    ...optional("beside", node.get("beside")),
  };
}

function readReferrer(node: JsonNode): RequestedReferrer {
  const artifact = { file: node.get("file").string(), artifactType: node.get("artifactType").string() };
  return node.get("isUnstamped").value === true ? { ...artifact, isUnstamped: true } : artifact;
}

function readSource(node: JsonNode): BlobSource {
  return { registry: node.get("registry").string(), repository: node.get("repository").string() };
}

function optional<Key extends string>(key: Key, node: JsonNode): { readonly [K in Key]?: string } {
  return (node.present ? { [key]: node.string() } : {}) as { readonly [K in Key]?: string };
}
