import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { EnvironmentSource } from "../python-environments/model.ts";
import type { AppendOptions } from "../signatures/append.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import type { LocalCode } from "./code.ts";
import { type DescribedEnvironment, environmentOf, filesOf } from "./resolve-environment.ts";
import type { ResolvedDeployment } from "./schema.ts";

export interface InterpreterOptions extends Pick<AppendOptions, "embedded"> {
  readonly env: Environment;
  /** The job will run in an image, or in a process of this machine. */
  readonly runsIn: "image" | "process";
  readonly onBuild?: (environment: DescribedEnvironment) => void;
}

export async function prepareInterpreter(
  deployment: ResolvedDeployment,
  code: LocalCode,
  options: InterpreterOptions,
): Promise<ResolvedDeployment> {
  const described = environmentOf(deployment.interpreter);
  if (described === undefined) return deployment;
  const source = await sourceOf(described, code);
  const { env, embedded } = options;
  const onBuild = () => options.onBuild?.(described);
  if (options.runsIn === "process") {
    const { localEnvironment } = await import("../python-environments/local.ts");
    const { interpreter, variables } = await localEnvironment(source, { env, onBuild });
    return {
      ...deployment,
      interpreter: { ServerAvailableInterpreter: { interpreter_path: interpreter } },
      environment: { ...variables, ...deployment.environment },
    };
  }
  const { base } = described;
  if (base === undefined || deployment.platform === undefined) {
    throw new UserError(
      { code: "lock-outdated", culprit: described.kind },
      `The ${described.kind} of this job was resolved for a process, without a base image.`,
      "Resolve the job again with --engine container, or run it with --engine process.",
    );
  }
  const { platform } = deployment;
  const { environmentImage } = await import("../python-environments/image.ts");
  const image = await environmentImage(source, {
    base: await runnableImage(base, env),
    platform,
    env,
    embedded,
    onBuild,
  });
  const { digest, ...repository } = parseReference(image);
  if (digest === undefined) throw new TypeError(`${image} has no digest`);
  return { ...deployment, interpreter: { ContainerAtDigest: { repository: formatReference(repository), digest } } };
}

async function sourceOf(
  { kind, path, python, content }: DescribedEnvironment,
  code: LocalCode,
): Promise<EnvironmentSource> {
  const found = await filesOf(kind, path, code);
  if (found.content !== content) {
    throw new UserError(
      { code: "lock-outdated", culprit: path },
      `${path} of ${kind} has changed since the job was resolved.`,
      "Resolve the job again, or restore the files.",
    );
  }
  return { kind, path, ...found, ...(python === undefined ? {} : { python }) };
}
