import { z } from "zod";
import { parseDuration } from "../config/quantity.ts";
import { anyText, checked, memory, number, oneOf, quantity, strictFields, text } from "../config/schema-words.ts";
import { type GitProtocol, parseGitUrl, safeProtocols } from "../git/url.ts";
import { ownInterpreter } from "./function.ts";
import { usualParallelism } from "./matrix.ts";
import { scheduleMistake, timeZoneMistake } from "./schedule.ts";
import {
  base,
  branch,
  commit,
  digest,
  environment,
  imageRepository,
  innerPath,
  interpreterPath,
  json,
  label,
  lockedBase,
  matrix,
  network,
  platform,
  pythonVersion,
  tag,
  volumes,
} from "./schema-values.ts";

/** With a description, which all languages and pages show. */
function about<T extends z.ZodType>(schema: T, description: string): T {
  return schema.meta({ description }) as T;
}

function optional<T extends z.ZodType>(schema: T, description: string) {
  return about(schema, description).exactOptional();
}

function kind<T extends z.ZodRawShape>(name: string, description: string, fields: T) {
  return strictFields(`a field of ${name}`, fields).meta({ description });
}

/** Environments from files. In a lock, `content` is the hash of the files. */
function environmentKinds<Base extends z.ZodType, Content extends z.ZodRawShape>(base: Base, content: Content) {
  const from = (name: string, files: string, path: string, place: string, image = "that Python version") =>
    kind(name, `A Python environment from ${files} in the code.`, {
      path: about(innerPath.default(path), `${place}, relative to the root of the code.`),
      python: optional(pythonVersion, "The Python version, such as `3.12`. Default: an installed one."),
      base: optional(base, `The base image for containers. Default: an image of ${image}.`),
      ...content,
    });
  return {
    PoetryProject: from("PoetryProject", "`pyproject.toml` and `poetry.lock`", ".", "The folder with the two files"),
    CondaEnv: from("CondaEnv", "a conda environment file", "condaenv.yml", "The file", "Debian"),
    PipRequirements: from("PipRequirements", "a requirements file", "requirements.txt", "The file"),
  };
}

const repository = about(imageRepository, "The repository with its registry, such as `docker.io/library/python`.");

const containerAtDigest = kind("ContainerAtDigest", "A container image by digest.", {
  repository,
  digest: about(digest, "`sha256:` and 64 hexadecimal digits."),
});

const installed = kind("ServerAvailableInterpreter", "An interpreter that is installed on the machine.", {
  interpreter_path: about(
    interpreterPath,
    `Its absolute path, or \`${ownInterpreter}\` for the Node that runs Slipway.`,
  ),
});

const containerAtTag = kind("ContainerAtTag", "A container image by tag, resolved to a digest.", {
  repository,
  tag: about(tag.default("latest"), "The tag."),
});

const imageTarget = kind("ImageTarget", "An image that Bazel pushed for a pipeline, with interpreter and code in it.", {
  target: about(label, "The label of the pipeline."),
  tag: about(text.default("default"), "A key of the pipeline's `bases`."),
});

const interpreter = oneOf("an interpreter", {
  ContainerAtTag: containerAtTag,
  ContainerAtDigest: containerAtDigest,
  ImageTarget: imageTarget,
  ...environmentKinds(base, {}),
  ServerAvailableInterpreter: installed,
});

const resolvedInterpreter = oneOf("an interpreter", {
  ContainerAtDigest: containerAtDigest,
  ...environmentKinds(lockedBase, { content: digest }),
  ServerAvailableInterpreter: installed,
});

function codeKinds(protocols: readonly GitProtocol[]) {
  const url = checked(z.string(), (value) => {
    const parsed = parseGitUrl(value, protocols);
    return "problem" in parsed ? [parsed.problem, parsed.remedy] : undefined;
  });
  const repo_url = about(url, "The repository, over https or ssh.");
  const path_to_source = about(innerPath.default("."), "The folder in the repository that contains the code.");
  const paths = checked(z.array(text), (value) =>
    value.length === 0 ? ["is empty", "Name at least one folder, or leave `code` out."] : undefined,
  );
  const ofBranch = kind("GitRepoBranch", "Code from a git branch, resolved to a commit.", {
    repo_url,
    branch: about(branch.default("main"), "The branch."),
    path_to_source,
  });
  const ofCommit = kind("GitRepoCommit", "Code from a git commit.", {
    repo_url,
    commit: about(commit, "The full ID."),
    path_to_source,
  });
  const ofEither = kind("git_repo", "Code from a git branch or commit: the fields of either one.", {
    repo_url,
    branch: optional(branch, "The branch."),
    commit: optional(commit, "The full ID, instead of a branch."),
    path_to_source,
  });
  const folders = kind("ServerAvailableFolder", "Code from folders of the machine.", {
    code_paths: about(paths, "The folders. The first is the working directory; all are searched for modules."),
  });
  return { ofBranch, ofCommit, ofEither, folders };
}

function code(protocols: readonly GitProtocol[]) {
  const { ofBranch, ofCommit, ofEither, folders } = codeKinds(protocols);
  const either = checked(ofEither, (value) =>
    value.branch !== undefined && value.commit !== undefined
      ? ["has both a branch and a commit", "Keep one of them."]
      : undefined,
  ).transform(({ branch: name, commit: id, ...rest }) =>
    id === undefined
      ? { GitRepoBranch: { ...rest, branch: name ?? "main" } }
      : { GitRepoCommit: { ...rest, commit: id } },
  );
  return oneOf("a kind of code", {
    GitRepoBranch: ofBranch,
    GitRepoCommit: ofCommit,
    git_repo: either,
    ServerAvailableFolder: folders,
  }).transform((value) => ("git_repo" in value ? value.git_repo : value));
}

function resolvedCode(protocols: readonly GitProtocol[]) {
  const { ofCommit, folders } = codeKinds(protocols);
  return oneOf("a kind of code", { GitRepoCommit: ofCommit, ServerAvailableFolder: folders });
}

const resources = strictFields("a resource", {
  cpu: optional(number(0.001, 10_000, false), "Number of CPUs."),
  memory: optional(memory, "Bytes, or a text such as `512MiB`."),
  gpu: optional(number(0, 1000, true), "Number of GPUs."),
  instance_type: optional(text, "An instance type of `config.yaml`, which the other fields override."),
});

const functionForm =
  "The function to call instead of a command: `module:name` in Python, or the path of a TypeScript or JavaScript module with a default export.";
const volumesForm =
  'Claims and folders by the absolute path at which the job sees them, such as `{"/data": {"claim": "training-data"}}`. It may change those that are `writable`. Folders are relative to the folder of the job, and not for Kubernetes. Default: none.';
const environmentForm =
  "Environment variables of the job. They override all others. `SECRET:NAME` is the value of a secret.";
const networkForm =
  "Network of the container, `none` or `host`. Default: `none`. Processes have this machine's, pods their cluster's.";
const platformForm = "Platform of the container image, `os/architecture`. Default: Linux on this machine's processor.";
const durationForm = "Timeout of each attempt, in seconds or as a text such as `1h30m`. Default: no timeout.";
const matrixForm =
  "On Kubernetes: variables with lists of values. The command runs once for each combination, as the items of one job.";
const duration = quantity(parseDuration, "a duration", "90s, 1h30m, 2d, or a number of seconds");

function fieldsWith<I extends z.ZodType, C extends z.ZodType>(interpreterKinds: I, codeKinds: C) {
  const codeForm =
    "The code to run. Required for environments from files, not allowed for `ImageTarget`. Default, also `null`: none.";
  return {
    interpreter: about(interpreterKinds, "The program or environment that runs the job."),
    code: about(codeKinds, codeForm).nullable().exactOptional(),
    command: optional(z.array(anyText), "Arguments for the image's entrypoint, or a program with its arguments."),
    function: optional(text, functionForm),
    arguments: optional(z.array(json), "Positional arguments of the function. Default: none."),
    environment: about(environment, environmentForm).prefault({}),
    resources: about(resources, "Limits of the job. Default: none.").prefault({}),
    volumes: optional(volumes, volumesForm),
    network: optional(network, networkForm),
    platform: optional(platform, platformForm),
    time_limit: optional(duration, durationForm),
    retries: about(number(0, 100, true), "How many times to retry a failed attempt, from 0 to 100.").default(0),
    matrix: optional(matrix, matrixForm),
    parallelism: optional(
      number(1, 1000, true),
      `How many items of \`matrix\` run at once. Default: ${usualParallelism}.`,
    ),
    schedule: optional(
      checked(z.string(), scheduleMistake),
      "On Kubernetes: when to run, in cron's form, such as `0 3 * * *`.",
    ),
    time_zone: optional(
      checked(z.string(), timeZoneMistake),
      "Time zone of `schedule`, such as `Europe/Berlin`. Default: that of the cluster.",
    ),
  };
}

/** A job as people write it. `read.ts` checks fields against each other. @param protocols of git servers */
export function deploymentFields(protocols = safeProtocols) {
  return strictFields("a field of a job", fieldsWith(interpreter, code(protocols))).transform(withoutNull);
}

export function lockFields(protocols = safeProtocols) {
  const fields = fieldsWith(resolvedInterpreter, resolvedCode(protocols));
  return strictFields("a field of a lock", {
    version: z.literal(1),
    deployment: strictFields("a field of a job", fields).transform(withoutNull),
    source: strictFields("a field of a lock's source", {
      interpreter: interpreter.exactOptional(),
      code: code(protocols).exactOptional(),
    }),
  });
}

/** `code: null` is no code. */
function withoutNull<T extends { code?: unknown }>({ code: given, ...rest }: T) {
  return (given ? { ...rest, code: given } : rest) as Omit<T, "code"> & { code?: NonNullable<T["code"]> };
}

type Unchangeable<T> = T extends readonly (infer Item)[]
  ? readonly Unchangeable<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Unchangeable<T[K]> }
    : T;

/** A job with every default filled in. Its fields have the same names in documents and all languages. */
export type Deployment = Unchangeable<z.output<ReturnType<typeof deploymentFields>>>;
/** A job that runs again exactly: nothing in it is asked of anyone. */
export type JobLock = Unchangeable<z.output<ReturnType<typeof lockFields>>>;
export type ResolvedDeployment = JobLock["deployment"];
export type Interpreter = Deployment["interpreter"];
export type ResolvedInterpreter = ResolvedDeployment["interpreter"];
export type Code = NonNullable<Deployment["code"]>;
export type ResolvedCode = NonNullable<ResolvedDeployment["code"]>;

export type ContainerAtTag = Readonly<z.output<typeof containerAtTag>>;
export type ContainerAtDigest = Readonly<z.output<typeof containerAtDigest>>;
export type ImageTarget = Readonly<z.output<typeof imageTarget>>;

/** For editors (2020-12). It accepts whatever the loader does, which also checks what holds between fields. */
export function jobJsonSchema(): object {
  const options = { io: "input", target: "draft-2020-12", unrepresentable: "any" } as const;
  return { title: "Slipway job", ...z.toJSONSchema(deploymentFields(), options) };
}
