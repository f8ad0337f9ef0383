import { isRepository, referenceIn } from "../oci/reference.ts";
import { isRegistry, normalizeRegistry, ruleHost } from "../oci/registry-host.ts";
import type { Rule, Shape, ValueOf } from "./shape.ts";

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
  ca: { is: "file", about: "PEM file of an additional certificate authority" },
  certificate: { is: "file", about: "PEM file of the client certificate, sent to this host only" },
  key: { is: "file", about: "PEM file of the client certificate's key" },
} as const;

const signingKey = "a PEM file, `env://NAME`, or the URI of a KMS";

const registry = {
  is: "group",
  what: "a setting of a registry",
  together: ["certificate", "key"],
  without: { flag: "plainHttp", fields: ["ca", "certificate"], why: "which is for TLS" },
  fields: {
    plainHttp: { is: "flag", about: "Whether to use plain HTTP. Default: only for loopback addresses" },
    ...tls,
    tokenService: {
      is: "text",
      rule: host,
      about: "Another host whose token service may get this registry's credential",
    },
    repositoryPrefix: {
      is: "text",
      rule: repositoryPrefix,
      about: "What repositories that Slipway pushes to begin with, such as `team/jobs`",
    },
  },
} as const satisfies Shape;

const remoteCache = {
  is: "group",
  what: "a setting of a remote cache",
  together: ["certificate", "key"],
  fields: {
    ...tls,
    headers: {
      is: "map",
      name: "NAME",
      rule: header,
      about: "Header fields of each request",
      of: {
        is: "group",
        what: "a source of a header field",
        isChoice: true,
        fields: {
          file: { is: "file", about: "File with the value, one line" },
          env: { is: "variable", about: "Environment variable with the value" },
        },
      },
    },
    credentialHelper: {
      is: "program",
      about: "Program that speaks Bazel's protocol for credential helpers: a name on `PATH`, or a path",
    },
  },
} as const satisfies Shape;

const context = {
  is: "group",
  what: "a setting of a context",
  fields: {
    nodeLocal: {
      is: "flag",
      about: "Whether its nodes share this machine's network, and reach registries on its loopback interface",
    },
    podRegistry: {
      is: "text",
      about: "`http(s)://HOST[:PORT]` at which pods reach the registry. Default: the registry's name",
    },
    filesCredential: {
      is: "text",
      about:
        "Secret of type `kubernetes.io/basic-auth` with which pods store files of functions. Default: a token of the registry",
    },
    namespace: { is: "text", about: "The namespace. Default: the kubeconfig's" },
  },
} as const satisfies Shape;

const imageRules = {
  is: "group",
  what: "a rule for images",
  fields: {
    require: {
      is: "group",
      what: "a requirement of images",
      about: "What images need before they run",
      fields: {
        signature: {
          is: "group",
          what: "a field of a signature",
          isRequired: true,
          about: "Runs only images with this signature",
          fields: { key: { is: "key", isRequired: true, about: `The public key: ${signingKey}` } },
        },
        attestations: {
          is: "list",
          about: "Attestations that images need as well, signed with the same key",
          of: {
            is: "group",
            what: "a field of an attestation",
            fields: {
              type: {
                is: "text",
                isRequired: true,
                about: "`slsaprovenance1`, `spdxjson`, `cyclonedx`, or the URI of a predicate's type",
              },
              builder: { is: "text", about: "SLSA provenance: the builder's ID" },
              source: { is: "text", about: "SLSA provenance: the source repository's URL" },
            },
          },
        },
      },
    },
    sign: {
      is: "group",
      what: "a field of a signature",
      about: "Signs images that Slipway pushes there",
      fields: { key: { is: "key", isRequired: true, about: `The private key: ${signingKey}` } },
    },
  },
} as const satisfies Shape;

const services = {
  is: "group",
  what: "a setting of services",
  elsewhere: { instanceTypes: "Move it to the left margin of the file: it is a section beside `services`." },
  fields: {
    syncImage: {
      is: "text",
      rule: {
        holds: (name) => referenceIn(name)?.digest !== undefined,
        problem: "is not an image with a digest",
        remedy: "Write REGISTRY/REPOSITORY@sha256:DIGEST.",
      },
      about: "Image that fetches models and repositories, with a digest. Default: the one that came with Slipway",
    },
    models: {
      is: "group",
      what: "a setting of models",
      about: "Where pods keep models",
      fields: {
        claim: {
          is: "text",
          rule: objectName(
            "volume claim",
            "Write lower-case letters, digits, - and ., a letter or digit first and last.",
          ),
          about: "Volume claim that keeps models. Default: each pod has its own copy",
        },
      },
    },
    authorities: {
      is: "file",
      about: "PEM file of certificate authorities of git servers, in addition to public ones",
    },
  },
} as const satisfies Shape;

const instanceType = {
  is: "group",
  what: "a field of an instance type",
  fields: {
    cpu: { is: "number", minimum: 0.001, maximum: 10_000, isRequired: true, about: "CPUs; fractions are allowed" },
    memory: { is: "memory", isRequired: true, about: "Memory: `512MiB`, `2GB`, or a number of bytes" },
    gpu: { is: "number", minimum: 0, maximum: 64, isWhole: true, about: "GPUs. Default: 0" },
    gpuResource: {
      is: "text",
      rule: {
        holds: (name) => name.includes("/") && isQualified(name),
        problem: "is not the name of a resource",
        remedy: "Write it as the device plugin does, such as amd.com/gpu.",
      },
      about: "Kubernetes resource of a GPU. Default: `nvidia.com/gpu`",
    },
    architecture: { is: "text", oneOf: ["amd64", "arm64"], about: "Architecture of the nodes" },
    priorityClass: {
      is: "text",
      rule: objectName("priority class", "`kubectl get priorityclasses` lists those of the cluster."),
      about: "Priority class of the pods",
    },
    spot: { is: "flag", about: "Whether its nodes may disappear at any time: their loss is then no failure" },
    nodeSelector: {
      is: "map",
      name: "LABEL",
      rule: { holds: isQualified, problem: "is not the name of a label", remedy: asNodesHaveIt },
      about: "Labels of the nodes",
      of: {
        is: "text",
        rule: {
          holds: (value) => value === "" || isName(value),
          problem: "is not the value of a label",
          remedy: asNodesHaveIt,
        },
      },
    },
    tolerations: {
      is: "list",
      about: "Taints of the nodes that its pods tolerate",
      of: {
        is: "group",
        what: "a field of a toleration",
        fields: {
          key: { is: "text", isRequired: true, about: "Key of the taint" },
          value: { is: "text", about: "Value of the taint. Default: any" },
          effect: {
            is: "text",
            oneOf: ["NoSchedule", "PreferNoSchedule", "NoExecute"],
            about: "Effect of the taint. Default: any",
          },
        },
      },
    },
  },
} as const satisfies Shape;

/** All of config.yaml. The reader, the types, the JSON Schema and the reference page are made of it. */
export const configSchema = {
  is: "group",
  what: "a section of config.yaml",
  fields: {
    registries: {
      is: "map",
      name: "HOST",
      rule: { ...host, problem: "is not the name of a registry" },
      of: registry,
      mayBeEmpty: true,
      about: "How to reach a registry, by `HOST` or `HOST:PORT`",
    },
    remoteCaches: {
      is: "map",
      name: "HOST",
      rule: host,
      of: remoteCache,
      mayBeEmpty: true,
      about: "How to reach a remote cache, by `HOST` or `HOST:PORT`",
    },
    kubernetes: {
      is: "group",
      what: "a setting of kubernetes",
      mayBeEmpty: true,
      about: "Clusters",
      fields: {
        contexts: {
          is: "map",
          name: "CONTEXT",
          of: context,
          mayBeEmpty: true,
          about: "Settings by the name of a context in the kubeconfig",
        },
      },
    },
    images: {
      is: "map",
      name: "NAME",
      rule: images,
      of: imageRules,
      mayBeEmpty: true,
      about: "Signatures, by `HOST`, `HOST/REPOSITORY`, or `*` for all others. The longest name counts",
    },
    services: { ...services, mayBeEmpty: true, about: "Settings of services" },
    instanceTypes: {
      is: "map",
      name: "TYPE",
      of: instanceType,
      mayBeEmpty: true,
      about: "Instance types, in addition to those that Slipway knows, or in place of them",
    },
  },
} as const satisfies Shape;

/** What config.yaml says. */
export type Config = ValueOf<typeof configSchema>;
export type ConfiguredRegistry = ValueOf<typeof registry>;
export type ConfiguredContext = ValueOf<typeof context>;
export type ConfiguredInstanceType = ValueOf<typeof instanceType>;
export type RequiredAttestation = ValueOf<typeof imageRules.fields.require.fields.attestations.of>;
