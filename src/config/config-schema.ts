import { isRepository, referenceIn } from "../oci/reference.ts";
import { isRegistry, normalizeRegistry, ruleHost } from "../oci/registry-host.ts";
import type { Field, Group, Rule, Shape, ValueOf } from "./shape.ts";

const simple =
  <Is extends "flag" | "memory" | "file" | "program" | "key" | "variable">(is: Is) =>
  (about: string) =>
    ({ is, about }) as const;
const flag = simple("flag");
const memory = simple("memory");
const file = simple("file");
const program = simple("program");
const key = simple("key");
const variable = simple("variable");
const text = (about: string, rule?: Rule) => ({ is: "text", about, ...(rule && { rule }) }) as const;
const oneOf = (about: string, ...names: string[]) => ({ is: "text", about, oneOf: names }) as const;
const required = <const F extends Field>(field: F) => ({ ...field, isRequired: true }) as const;
const list = <const S extends Shape>(about: string, of: S) => ({ is: "list", about, of }) as const;
/** @param name stands for a name in the documentation */
const map = <const S extends Shape>(name: string, of: S, rule?: Rule) =>
  ({ is: "map", name, of, ...(rule && { rule }) }) as const;
const group = <const F extends Group["fields"]>(
  what: string,
  fields: F,
  more: Pick<Group, "elsewhere" | "together" | "without" | "isChoice"> = {},
) => ({ ...more, is: "group", what, fields }) as const;
const section = <const S extends Shape>(about: string, shape: S) => ({ ...shape, about, mayBeEmpty: true }) as const;

const host = {
  holds: isRegistry,
  problem: "is not a host",
  remedy: "Write HOST or HOST:PORT, without a scheme and without a path.",
  normal: normalizeRegistry,
} satisfies Rule;

const repositoryPrefix = {
  holds: isRepository,
  problem: "is not what a repository can begin with",
  remedy: "Write TEAM or TEAM/JOBS.",
} satisfies Rule;

const header = {
  holds: (name) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name),
  problem: "is not the name of a header field",
  remedy: "Write a name such as x-api-key.",
} satisfies Rule;

/** The names under `images`: `HOST`, `HOST/REPOSITORY` or `*`. */
const images = {
  holds: (name) => {
    const [registry = "", ...path] = name.split("/");
    return name === "*" || (isRegistry(registry) && (path.length === 0 || isRepository(path.join("/"))));
  },
  problem: "is neither a registry nor a repository",
  remedy: 'Write HOST, HOST:PORT, HOST/REPOSITORY, or "*" for all others.',
  normal: (name) => {
    const [registry = "", ...path] = name.split("/");
    return name === "*" ? name : [ruleHost(registry), ...path].join("/");
  },
} satisfies Rule;

const objectName = (what: string, remedy: string) =>
  ({
    holds: (name) => /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(name),
    problem: `is not the name of a ${what}`,
    remedy,
  }) satisfies Rule;

const isName = (text: string) => /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(text);

/** Names of labels and resources: `pool`, `example.com/pool`. */
const isQualified = (text: string) =>
  text.length < 300 && /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[^/]+$/.test(text) && isName(text.split("/").at(-1) ?? "");

const asNodesHaveIt = "Write it as nodes have it, in quotes if it looks like a number.";

const tls = {
  ca: file("PEM file of an additional certificate authority"),
  certificate: file("PEM file of the client certificate, sent to this host only"),
  key: file("PEM file of the client certificate's key"),
};

const registry = group(
  "a setting of a registry",
  {
    plainHttp: flag("Whether to use plain HTTP. Default: only for loopback addresses"),
    ...tls,
    tokenService: text("Another host whose token service may get this registry's credential", host),
    repositoryPrefix: text(
      "What repositories that Slipway pushes to begin with, such as `team/jobs`",
      repositoryPrefix,
    ),
  },
  {
    together: ["certificate", "key"],
    without: { flag: "plainHttp", fields: ["ca", "certificate"], why: "which is for TLS" },
  },
);

const headerValue = {
  file: file("File with the value, one line"),
  env: variable("Environment variable with the value"),
};

const remoteCache = group(
  "a setting of a remote cache",
  {
    ...tls,
    headers: {
      ...map("NAME", group("a source of a header field", headerValue, { isChoice: true }), header),
      about: "Header fields of each request",
    },
    credentialHelper: program(
      "Program that speaks Bazel's protocol for credential helpers: a name on `PATH`, or a path",
    ),
  },
  { together: ["certificate", "key"] },
);

const context = group("a setting of a context", {
  nodeLocal: flag("Whether its nodes share this machine's network, and reach registries on its loopback interface"),
  podRegistry: text("`http(s)://HOST[:PORT]` at which pods reach the registry. Default: the registry's name"),
  filesCredential: text(
    "Secret of type `kubernetes.io/basic-auth` with which pods store files of functions. Default: a token of the registry",
  ),
  namespace: text("The namespace. Default: the kubeconfig's"),
});

const signature = (which: string) =>
  group("a field of a signature", {
    key: required(key(`The ${which} key: a PEM file, \`env://NAME\`, or the URI of a KMS`)),
  });

const attestation = group("a field of an attestation", {
  type: required(text("`slsaprovenance1`, `spdxjson`, `cyclonedx`, or the URI of a predicate's type")),
  builder: text("SLSA provenance: the builder's ID"),
  source: text("SLSA provenance: the source repository's URL"),
});

const requirement = group("a requirement of images", {
  signature: required({ ...signature("public"), about: "Runs only images with this signature" }),
  attestations: list("Attestations that images need as well, signed with the same key", attestation),
});

const imageRules = group("a rule for images", {
  require: { ...requirement, about: "What images need before they run" },
  sign: { ...signature("private"), about: "Signs images that Slipway pushes there" },
});

const models = group("a setting of models", {
  claim: text(
    "Volume claim that keeps models. Default: each pod has its own copy",
    objectName("volume claim", "Write lower-case letters, digits, - and ., a letter or digit first and last."),
  ),
});

const services = group(
  "a setting of services",
  {
    syncImage: text("Image that fetches models and repositories. Default: the one that came with Slipway", {
      holds: (name) => referenceIn(name)?.digest !== undefined,
      problem: "is not an image with a digest",
      remedy: "Write REGISTRY/REPOSITORY@sha256:DIGEST.",
    }),
    models: { ...models, about: "Where pods keep models" },
    authorities: file("PEM file of certificate authorities of git servers, in addition to public ones"),
  },
  { elsewhere: { instanceTypes: "Move it to the left margin of the file: it is a section beside `services`." } },
);

const labelName = { holds: isQualified, problem: "is not the name of a label", remedy: asNodesHaveIt };
const labelValue = {
  holds: (value: string) => value === "" || isName(value),
  problem: "is not the value of a label",
  remedy: asNodesHaveIt,
};

const toleration = group("a field of a toleration", {
  key: required(text("Key of the taint")),
  value: text("Value of the taint. Default: any"),
  effect: oneOf("Effect of the taint. Default: any", "NoSchedule", "PreferNoSchedule", "NoExecute"),
});

const instanceType = group("a field of an instance type", {
  cpu: { is: "number", minimum: 0.001, maximum: 10_000, isRequired: true, about: "CPUs; fractions are allowed" },
  memory: required(memory("Memory: `512MiB`, `2GB`, or a number of bytes")),
  gpu: { is: "number", minimum: 0, maximum: 64, isWhole: true, about: "GPUs. Default: 0" },
  gpuResource: text("Kubernetes resource of a GPU. Default: `nvidia.com/gpu`", {
    holds: (name) => name.includes("/") && isQualified(name),
    problem: "is not the name of a resource",
    remedy: "Write it as the device plugin does, such as amd.com/gpu.",
  }),
  architecture: oneOf("Architecture of the nodes", "amd64", "arm64"),
  priorityClass: text(
    "Priority class of the pods",
    objectName("priority class", "`kubectl get priorityclasses` lists those of the cluster."),
  ),
  spot: flag("Whether its nodes may disappear at any time: their loss is then no failure"),
  nodeSelector: { ...map("LABEL", text("", labelValue), labelName), about: "Labels of the nodes" },
  tolerations: list("Taints of the nodes that its pods tolerate", toleration),
});

/** All of config.yaml. The reader, the types, the JSON Schema and the reference page are made of it. */
export const configSchema = group("a section of config.yaml", {
  registries: section(
    "How to reach a registry, by `HOST` or `HOST:PORT`",
    map("HOST", registry, { ...host, problem: "is not the name of a registry" }),
  ),
  remoteCaches: section("How to reach a remote cache, by `HOST` or `HOST:PORT`", map("HOST", remoteCache, host)),
  kubernetes: section(
    "Clusters",
    group("a setting of kubernetes", {
      contexts: section("Settings by the name of a context in the kubeconfig", map("CONTEXT", context)),
    }),
  ),
  images: section(
    "Signatures, by `HOST`, `HOST/REPOSITORY`, or `*` for all others. The longest name counts",
    map("NAME", imageRules, images),
  ),
  services: section("Settings of services", services),
  instanceTypes: section(
    "Instance types, in addition to those that Slipway knows, or in place of them",
    map("TYPE", instanceType),
  ),
});

export type Config = ValueOf<typeof configSchema>;
export type ConfiguredRegistry = ValueOf<typeof registry>;
export type ConfiguredContext = ValueOf<typeof context>;
export type ConfiguredInstanceType = ValueOf<typeof instanceType>;
export type RequiredAttestation = ValueOf<typeof attestation>;
