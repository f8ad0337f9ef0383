import { resolveBranch } from "../git/remote.ts";
import { ownArchitecture } from "../oci/descriptor.ts";
import { openByName } from "../registry/open-by-name.ts";
import { type CodeOptions, localCode } from "./code.ts";
import { type BaseOptions, environmentOf, filesOf, resolveBase } from "./resolve-environment.ts";
import { resolveTag } from "./resolve-image.ts";
import type {
  Code,
  ContainerAtDigest,
  Deployment,
  ImageTarget,
  Interpreter,
  JobLock,
  ResolvedCode,
  ResolvedInterpreter,
} from "./schema.ts";

export interface ResolveOptions extends CodeOptions, BaseOptions {
  readonly imageOf: (target: ImageTarget) => ContainerAtDigest;
}

/** A tag becomes a digest, a branch a commit, files of an environment the hash of their content. */
export async function resolveDeployment(
  deployment: Deployment,
  folder: string,
  options: ResolveOptions,
): Promise<JobLock> {
  const { interpreter: wanted, code: wantedCode, ...rest } = deployment;
  const platform = deployment.platform ?? `linux/${ownArchitecture()}`;
  const [container, code] = await Promise.all([
    resolveContainer(wanted, platform, options),
    wantedCode && resolveCode(wantedCode, options),
  ]);
  const interpreter = container ?? (await resolveFiles(wanted, code, folder, { ...options, platform }));
  const isInterpreterOpen = JSON.stringify(interpreter) !== JSON.stringify(wanted);
  const usesPlatform = !("ServerAvailableInterpreter" in interpreter);
  return {
    version: 1,
    deployment: {
      ...rest,
      interpreter,
      ...(code ? { code } : {}),
      ...(usesPlatform ? { platform } : {}),
    },
    source: {
      ...(isInterpreterOpen ? { interpreter: wanted } : {}),
      ...(wantedCode && "GitRepoBranch" in wantedCode ? { code: wantedCode } : {}),
    },
  };
}

async function resolveContainer(
  interpreter: Interpreter,
  platform: string,
  options: ResolveOptions,
): Promise<ResolvedInterpreter | undefined> {
  if ("ContainerAtTag" in interpreter) {
    const open = options.openRegistry ?? ((registry: string) => openByName(registry, options.env));
    return { ContainerAtDigest: await resolveTag(interpreter.ContainerAtTag, platform, open) };
  }
  if ("ImageTarget" in interpreter) return { ContainerAtDigest: options.imageOf(interpreter.ImageTarget) };
  return undefined;
}

async function resolveCode(code: Code, options: ResolveOptions): Promise<ResolvedCode> {
  if (!("GitRepoBranch" in code)) return code;
  const { repo_url, branch, path_to_source } = code.GitRepoBranch;
  const commit = await resolveBranch(repo_url, branch, { env: options.env ?? process.env, ...options.git });
  return { GitRepoCommit: { repo_url, commit, path_to_source } };
}

async function resolveFiles(
  interpreter: Interpreter,
  code: ResolvedCode | undefined,
  folder: string,
  options: ResolveOptions & { readonly platform: string },
): Promise<ResolvedInterpreter> {
  const described = environmentOf(interpreter);
  if (described === undefined) return interpreter as ResolvedInterpreter;
  const { kind, path, python } = described;
  const [{ content }, base] = await Promise.all([
    localCode(code, folder, options).then((local) => filesOf(kind, path, local)),
    resolveBase(described, options),
  ]);
  const fields = {
    path,
    ...(python === undefined ? {} : { python }),
    ...(base === undefined ? {} : { base }),
    content,
  };
  return { [kind]: fields } as unknown as ResolvedInterpreter;
}
