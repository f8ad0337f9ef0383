import { type BuildStatus, parseBuildStatus } from "../../core/build-status.ts";
import { checkDescriptor, type Descriptor, formatPlatform } from "../../oci/descriptor.ts";
import { type Digest, sha256, splitDigest } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { Arguments, malformed, texts } from "../arguments.ts";
import type { Context } from "../context.ts";

/** Common names in status commands. A tree that is not `clean` has changes. */
const names = {
  commit: ["STABLE_GIT_COMMIT", "STABLE_SCM_REVISION", "BUILD_SCM_REVISION", "COMMIT_SHA"],
  tree: ["STABLE_GIT_TREE", "STABLE_SCM_STATUS", "BUILD_SCM_STATUS", "GIT_TREE_STATUS"],
  url: ["STABLE_GIT_URL", "STABLE_SCM_URL", "BUILD_SCM_URL", "REPO_URL"],
  builder: ["STABLE_BUILDER_ID"],
} as const;

const buildType = "pkg:npm/bazel-slipway#image/v1";
const defaultBuilder = "pkg:npm/bazel-slipway";

/**
 * `provenance --output=OUT --descriptor=PATH --target=LABEL --version=SLIPWAY [--status=PATH]… [ENTRY]…`: a statement
 * on how an image was built (in-toto attestation framework 1.0, "Statement"; SLSA 1.0, "Provenance"). Entries are
 * materials: `["base", DESCRIPTOR, NAME]`, `["lock", PATH, LABEL]`.
 */
export async function provenance(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["output", "descriptor", "target", "version", "status"], context);
  const descriptorOf = (path: string) => checkDescriptor(options.json(path));
  const image = descriptorOf(options.one("descriptor"));
  const status = parseBuildStatus(options.all("status").map((path) => options.read(path).toString("utf8")));
  const materials = options.entries.map((entry) => {
    const [path, name] = texts(entry, ["PATH", "NAME"]);
    if (entry.kind === "base") return baseMaterial(name, descriptorOf(path));
    if (entry.kind === "lock") return { name, digest: digestSet(sha256(options.read(path))) };
    throw malformed(entry.text, '["base", "PATH", "NAME"] or ["lock", "PATH", "LABEL"]');
  });
  const target = options.one("target");
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: target, digest: digestSet(image.digest) }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: { target, ...(image.platform ? { platform: formatPlatform(image.platform) } : {}) },
        resolvedDependencies: [...sourceMaterial(status), ...materials],
      },
      runDetails: {
        builder: { id: first(status, names.builder) ?? defaultBuilder, version: { slipway: options.one("version") } },
      },
    },
  };
  options.write({ output: canonicalJson(statement) });
}

function first(status: BuildStatus, known: readonly string[]): string | undefined {
  return known.map((name) => status.get(name)).find(Boolean);
}

/** Empty if the build status has no commit. */
function sourceMaterial(status: BuildStatus): object[] {
  const commit = first(status, names.commit);
  if (commit === undefined) return [];
  const url = first(status, names.url);
  const tree = first(status, names.tree);
  return [
    {
      name: "source",
      ...(url ? { uri: `git+${url.replace(/^git\+/, "")}@${commit}` } : {}),
      digest: { gitCommit: commit },
      ...(tree ? { annotations: { clean: tree.toLowerCase() === "clean" } } : {}),
    },
  ];
}

/** @param name `REGISTRY/REPOSITORY`, or the label of an image of the build */
function baseMaterial(name: string, { digest }: Descriptor): object {
  return { name, ...(/^(@|\/\/)/.test(name) ? {} : { uri: `oci://${name}@${digest}` }), digest: digestSet(digest) };
}

/** Hexadecimal values by algorithm, as in in-toto. */
function digestSet(digest: Digest): Record<string, string> {
  const { algorithm, hex } = splitDigest(digest);
  return { [algorithm]: hex };
}
