import { z } from "zod";
import { spokenValue } from "../config/document.ts";
import { checked, mistake, unknownFields } from "../config/schema-words.ts";
import { referenceMistake, secretPattern } from "../core/secret-reference.ts";
import { parseGitUrl } from "../git/url.ts";
import { isDigest } from "../oci/digest.ts";
import { isRepository, referenceIn } from "../oci/reference.ts";

/** The message for a value of the wrong type. It never shows the value, which may be a misplaced secret. */
function typeError(what: string, remedy: string) {
  return (issue: { readonly input?: unknown }) => {
    const { input } = issue;
    if (input === undefined) return undefined;
    const isNumber = typeof input === "number" || typeof input === "boolean";
    const said = isNumber ? `a ${typeof input}` : spokenValue(input);
    return mistake(`is ${said}, not ${what}`, isNumber && what === "a text" ? "Put it in quotes." : remedy);
  };
}

/** A group of fields. Other fields are mistakes; `remedies` says what to do about those of Gradient's specs. */
function fields<T extends z.ZodRawShape>(what: string, shape: T, remedies: Readonly<Record<string, string>> = {}) {
  const wrongType = typeError("a group of fields", "Write NAME: VALUE, a line for each field.");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? unknownFields(what, shape, remedies) : wrongType(issue)),
  });
}

function text() {
  return z.string({ error: typeError("a text", "Give a text.") });
}

/** A text with a pattern, which becomes part of the JSON Schema. */
function formed(pattern: RegExp, problem: string, remedy: string) {
  return text().regex(pattern, { error: mistake(problem, remedy) });
}

function whole(minimum: number, maximum: number, remedy?: string) {
  const range = `a whole number from ${minimum} to ${maximum}`;
  const outside = (issue: { readonly input?: unknown }) =>
    mistake(`is ${String(issue.input)}`, remedy ?? `Give ${range}.`);
  return z
    .int({
      error: (issue) =>
        typeof issue.input === "number"
          ? outside(issue)
          : typeError("a number", `Give ${range}, without quotes.`)(issue),
    })
    .min(minimum, { error: outside })
    .max(maximum, { error: outside });
}

function flag() {
  return z.boolean({ error: typeError("true or false", "Write true or false, without quotes.") });
}

function list<T extends z.ZodType>(item: T, maximum: number) {
  return z
    .array(item, { error: typeError("a list", "Write a line with - for each.") })
    .max(maximum, { error: mistake(`has more than ${maximum} items`, "Have fewer.") });
}

function someOf<T extends z.ZodType>(item: T, maximum: number, remedy: string) {
  return list(item, maximum).min(1, { error: mistake("is empty", remedy) });
}

/** At most 40 characters, because names of objects add up to 20. */
export const namePattern = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;

/** `My cool_app` becomes `my-cool-app`. The result may still not match {@link namePattern}. */
export function nameFrom(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}

const name = checked(text(), (value) =>
  namePattern.test(nameFrom(value))
    ? undefined
    : ["is not a name for a service", "Write at most 40 letters, digits and -, a letter first."],
).transform(nameFrom);

/** Refuses what a container's environment or a ConfigMap cannot hold. */
const storable = (value: string): [string, string] | undefined => {
  if (value.includes("\0")) return ["contains a NUL character", "Remove it."];
  return value.isWellFormed() ? undefined : ["contains half a character", "Write the whole character."];
};

const image = checked(text(), (value) => {
  if (/^(:|\/\/|@)/.test(value)) {
    return [
      "is the label of a Bazel target, not an image",
      "Remove the field. Name the target as `image` of the Bazel rule `service`, or a pushed image with --image.",
    ];
  }
  return referenceIn(value)
    ? undefined
    : ["is not an image", "Write [REGISTRY/]NAME[:TAG] or [REGISTRY/]NAME@sha256:DIGEST, in lower case."];
});

const folder = formed(
  /^(?:\/(?!\.{1,2}(?:\/|$))[^/:\p{Cc}]+)+$/u,
  "is not an absolute folder",
  "Write it like /opt/models: absolute, without `.`, `..`, a colon, or a / at the end.",
);

const modelId = checked(text(), (value) => {
  const [repository = "", digest, ...rest] = value.split("@");
  const isRight = isRepository(repository) && (digest === undefined || isDigest(digest)) && rest.length === 0;
  return isRight
    ? undefined
    : ["is not the id of a model", "Write lower-case letters, digits, . _ - and /, or ID@sha256:DIGEST."];
});

const models = list(
  fields("a field of a model", {
    id: modelId.describe("The model's name in the model registry. `@sha256:…` selects a version."),
    path: folder.default("/opt/models").describe("The folder in the container with its files."),
  }),
  100,
);

const url = checked(text(), (value) => {
  const parsed = parseGitUrl(value);
  if (!("problem" in parsed)) {
    if (parsed.protocol === "https") return undefined;
    // Services have no field for an SSH key.
    return [
      "is an SSH address, but services have no SSH keys",
      "Write its https address, and give `username` and `password` if it is private.",
    ];
  }
  // Other problems may quote a part of the address.
  return /^has a (password|user or a token) in it$/.test(parsed.problem)
    ? [parsed.problem, "Remove it, change it if others could read the file, and give it as `username` and `password`."]
    : ["is no address of a git server", "Write https://HOST/PATH."];
});

const repository = fields("a field of a repository", {
  url: url.describe("`https://HOST/PATH`."),
  name: formed(
    /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/,
    "is not the name of a folder",
    "Write at most 100 letters, digits, . _ and -, no . or - first.",
  ).describe("The folder below `mountPath`."),
  username: formed(
    /^[^\s:\p{Cc}]{1,255}$/u,
    "is not a user's name",
    "Write it without spaces and colons; give the password as `password`.",
  )
    .optional()
    .describe("The user on the git server."),
  password: z
    .string({
      error: (issue) => (issue.input === undefined ? undefined : passwordMistake),
    })
    .regex(new RegExp(`^SECRET:${secretPattern.source.slice(1)}`), { error: () => passwordMistake })
    .optional()
    .describe("`SECRET:NAME`, the secret that holds the password. Never the password."),
});

const passwordMistake = mistake(
  "does not name a secret",
  "Write SECRET:NAME. If this is the password itself, remove it from the file, and change it if others could read the file.",
);

const repositories = fields("a field of repositories", {
  dataset: formed(
    /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
    "is not the name of a volume claim",
    "Write at most 253 lower-case letters, digits, - and ., a letter or digit first and last.",
  ).describe("The volume claim for checkouts. It must exist."),
  mountPath: folder.describe("The folder in the container with the repositories."),
  repositories: someOf(repository, 100, "Name at least one repository, or leave `repositories` out."),
});

const metric = checked(text(), (value) => {
  if (value === "cpu" || value === "memory") return undefined;
  return value === "requestDuration"
    ? [
        "is a metric that clusters do not measure",
        "Remove it, or write cpu with the value 80: more replicas above 80 % of the processors.",
      ]
    : ["is neither cpu nor memory", "Write one of them."];
});

const autoscaling = fields("a field of autoscaling", {
  enabled: flag().default(true).describe("Whether the number of replicas follows the load."),
  maxReplicas: whole(1, 1000).describe("The most replicas. `replicas` is the minimum."),
  metrics: someOf(
    fields("a field of a metric", {
      metric: metric.describe("`cpu` or `memory`."),
      summary: formed(/^average$/, "is not a known summary", "Write average.")
        .default("average")
        .describe("How the metric is combined over all replicas."),
      value: whole(1, 100).describe("Percentage of the instance type's amount."),
    }),
    2,
    "Name a metric, or leave `metrics` out for 80 per cent of the processors.",
  )
    .default([{ metric: "cpu", summary: "average", value: 80 }])
    .describe("The metrics of the load."),
});

const port = whole(1, 65_535);

const resources = fields("a resource", {
  replicas: whole(1, 1000, "Give a whole number from 1 to 1000; `enabled: false` stops a service.")
    .default(1)
    .describe("How many containers run, 1 to 1000."),
  instanceType: text().optional().describe("The instance type of each container. Default: no requests and no limits."),
  machineType: text().optional().describe("The same as `instanceType`."),
  ports: someOf(port, 100, "Name at least one port.").optional().describe("A list of ports, in place of `port`."),
  autoscaling: autoscaling.optional().describe("Replicas that follow the load. Default: always `replicas`."),
});

function healthCheck(description: string) {
  return fields("a field of a health check", {
    path: formed(/^\/[!-~]*$/, "is not the path of a request", "Start it with /, without spaces.").describe(
      "The path of the request, starts with `/`.",
    ),
    port: port.optional().describe("The port of the request. Default: the service's first port."),
    initialDelaySeconds: whole(0, 3600).optional().describe("Seconds until the first request. Default: 0."),
    periodSeconds: whole(1, 3600).optional().describe("Seconds between requests. Default: 5."),
    timeoutSeconds: whole(1, 3600).optional().describe("Seconds until a request times out. Default: 5."),
    failureThreshold: whole(1, 1000)
      .optional()
      .describe("Failures in a row that count as failed. Default: 3, for `startup` 120."),
  })
    .optional()
    .describe(description);
}

const healthChecks = fields("a health check", {
  startup: healthCheck("Whether a container has started. The other checks wait for it."),
  readiness: healthCheck("Whether a container receives requests."),
  liveness: healthCheck("Whether a container keeps running. One that fails is restarted."),
});

const env = list(
  fields("a field of a variable", {
    name: formed(
      /^[A-Za-z_][A-Za-z0-9_]{0,252}$/,
      "is not the name of a variable",
      "Write letters, digits and _, no digit first.",
    ).describe("The variable's name."),
    value: checked(text(), (value) => storable(value) ?? referenceMistake(value)).describe(
      "Its value, or `SECRET:NAME`.",
    ),
  }),
  10_000,
);

const expose = fields("a field of expose", {
  host: formed(
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)+$/,
    "is not the name of a host",
    "Write it like app.example.com.",
  ).describe("The host name of the first port from outside the cluster."),
  tls: z
    .union([z.boolean(), z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/)], {
      error: mistake(
        "is neither true or false nor the name of a Secret",
        "Write true, or the name of the Secret that has the certificate.",
      ),
    })
    .default(false)
    .describe(
      "`true` for https with the cluster's certificate for the host, or the name of a Secret with a certificate.",
    ),
});

const integrations =
  "Push files of git-lfs, s3 and volumes with `slipway model push`, and name them in `models`. Name git repositories in `repositories`, and the volume that keeps them in its `dataset`.";

/** The fields of a service, of both shapes of specs. `check.ts` compares fields with each other. */
export const serviceFields = fields(
  "a field of a service",
  {
    apiVersion: formed(/^(v1|latest)$/, "is not a known version", "Write v1, or remove it.")
      .optional()
      .describe("`v1` or `latest`, which mean the same. Default: v1."),
    name: name
      .optional()
      .describe(
        "At most 40 letters, digits and `-`, a letter first. `My cool app` becomes `my-cool-app`. Default: the file's name.",
      ),
    enabled: flag().default(true).describe("`false` runs no containers."),
    image: image
      .optional()
      .describe("The container image. Default: the one given with the file, by `--image` or Bazel."),
    containerRegistry: formed(
      /^[!-~]{1,255}$/,
      "is not the name of a registry's credential",
      "Write the name that `slipway credentials add --name` gave it.",
    )
      .optional()
      .describe("The credential that the image is pulled with, as `slipway credentials add --name` named it."),
    command: someOf(checked(text(), storable), 10_000, "Name the program, or leave `command` out.")
      .optional()
      .describe("Program and arguments, in place of the image's ENTRYPOINT and CMD. Default: the image's."),
    port: port
      .optional()
      .describe("The port on which the service answers. Required, unless `resources.ports` lists ports."),
    env: env
      .default([])
      .describe(
        "A list of `name` and `value`, which overrides the image's variables. `SECRET:NAME` is the value of a secret.",
      ),
    models: models.default([]).describe("A list of `id` and `path`: models that the container finds in folders."),
    repositories: repositories.optional().describe("Git repositories that the container finds in a folder."),
    resources: resources.default({ replicas: 1 }).describe("How many containers run, and what each gets."),
    expose: expose.optional().describe("How the service is reached from outside its cluster."),
    healthChecks: healthChecks.default({}).describe("Requests that check each container."),
  },
  { integrations },
);

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

export type ServiceFields = DeepReadonly<z.output<typeof serviceFields>>;

/** For editors (2020-12). It accepts all that Slipway accepts, and some documents that Slipway refuses. */
export function serviceJsonSchema(): object {
  return { title: "Slipway service", ...z.toJSONSchema(serviceFields, { io: "input", target: "draft-2020-12" }) };
}
