import { randomBytes } from "node:crypto";
import type { Network } from "../../config/limits.ts";
import { type ContainerClient, findContainerClient } from "../../containers/client.ts";
import { checkDocker } from "../../containers/docker-daemon.ts";
import { oneLine } from "../../containers/failure.ts";
import { runContainer } from "../../containers/run.ts";
import type { Environment } from "../../core/environment.ts";
import { Failure } from "../../core/errors.ts";
import { runProgram } from "../../core/run-program.ts";
import type { RunnableImage } from "../../oci/runnable-image.ts";
import { ask } from "./command-output.ts";
import { broken, type Finding } from "./finding.ts";
import { tinyImage } from "./tiny-image.ts";

const part = {
  part: "engine",
  neededFor: "running functions in their image, and loading images into an engine",
  required: false,
} as const;

export async function examineEngine(env: Environment): Promise<Finding> {
  const search = findContainerClient(env);
  if ("obstacles" in search) {
    const detail = search.obstacles.map(({ reason }) => reason).join("; ") || "neither podman nor docker";
    const remedy = search.obstacles[0]?.remedy ?? "apt-get install podman runc uidmap";
    return { ...part, state: "missing", detail, remedy };
  }
  const { client } = search;
  const finding = await (client.name === "podman" ? examinePodman(client.path) : examineDocker(client.path, env));
  if (finding.state !== "ok") return finding;
  try {
    const remarks = await tryContainers(client, env);
    return { ...finding, detail: [finding.detail, ...remarks].join("; ") };
  } catch (error) {
    const failed = broken(part, error);
    return { ...failed, detail: `${finding.detail}: ${failed.detail}` };
  }
}

/** Functions run without a network or with this machine's, services with one of their own. Returns remarks of runs. */
async function tryContainers(client: ContainerClient, env: Environment): Promise<readonly string[]> {
  const image = `localhost/slipway-doctor:${randomBytes(4).toString("hex")}` as RunnableImage;
  const content = tinyImage();
  if (content === undefined) return [`no container was tried on ${process.arch}`];
  const identity = { code: "engine-unavailable", culprit: client.name } as const;
  const remedy = `Run \`${client.name} info\` to see whether it works.`;
  const failed = (problem: string) => new Failure(identity, problem, remedy);
  const options = { env, time: 60_000, input: [content] };
  const { status, stderr } = await runProgram(client.path, ["import", "-", image], options);
  if (status !== 0) {
    throw failed(`${client.path} cannot store an image (status ${status}): ${oneLine(stderr)}`);
  }
  const remarks: string[] = [];
  const onStderr = (data: Buffer) => void remarks.push(`${data}`.replace(/^slipway: /, "").trim());
  const run = { image, programArguments: ["/exit"], env: {}, resources: {}, onStdout: () => {} };
  const tryWith = async (network: string) => {
    const signal = AbortSignal.timeout(60_000);
    const ended = await runContainer(client, { ...run, network: network as Network }, { env, onStderr, signal });
    if (ended !== 0) throw failed(`a container with --network=${network} that does nothing ended with status ${ended}`);
  };
  try {
    // Finds out which runtime works.
    await tryWith("none");
    await Promise.all([tryWith("host"), tryWith("bridge")]);
  } finally {
    await ask(client.path, ["rmi", "--force", image]);
  }
  return remarks;
}

async function examinePodman(path: string): Promise<Finding> {
  const format =
    "{{.Version.Version}} {{.Host.OCIRuntime.Name}} {{.Host.Security.Rootless}} {{.Store.GraphDriverName}}";
  const answer = await ask(path, ["--log-level=error", "info", "--format", format]);
  if ("problem" in answer) {
    const remedy = "Repair podman, or set SLIPWAY_ENGINE=process to do without containers";
    return { ...part, state: "broken", detail: `${path} info: ${answer.problem}`, remedy };
  }
  const [version, runtime, rootless, storage] = answer.output.split(" ");
  const detail = `podman ${version} with ${runtime}, ${rootless === "true" ? "rootless" : "as root"}, storage ${storage}`;
  return { ...part, state: "ok", detail };
}

async function examineDocker(path: string, env: Environment): Promise<Finding> {
  try {
    await checkDocker(env);
  } catch (error) {
    return broken(part, error);
  }
  const answer = await ask(path, ["version", "--format", "{{.Server.Version}}"]);
  if ("problem" in answer) {
    const remedy = "Start Docker's daemon, or set SLIPWAY_ENGINE=process to do without containers";
    return { ...part, state: "broken", detail: `${path} version: ${answer.problem}`, remedy };
  }
  return { ...part, state: "ok", detail: `docker ${answer.output}` };
}
