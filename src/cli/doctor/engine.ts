import { findContainerClient } from "../../containers/client.ts";
import { checkDocker } from "../../containers/docker-daemon.ts";
import type { Environment } from "../../core/environment.ts";
import { findExecutable } from "../../core/executables.ts";
import { ask } from "./command-output.ts";
import type { Finding } from "./finding.ts";

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
  const { name, path } = search.client;
  return name === "podman" ? examinePodman(path, env) : examineDocker(path, env);
}

async function examinePodman(path: string, env: Environment): Promise<Finding> {
  const format =
    "{{.Version.Version}} {{.Host.OCIRuntime.Name}} {{.Host.Security.Rootless}} {{.Store.GraphDriverName}}";
  const answer = await ask(path, ["--log-level=error", "info", "--format", format]);
  if ("problem" in answer) {
    const remedy = "Repair podman, or set SLIPWAY_ENGINE=process to do without containers";
    return { ...part, state: "broken", detail: `${path} info: ${answer.problem}`, remedy };
  }
  const [version, runtime, rootless, storage] = answer.output.split(" ");
  const detail = `podman ${version} with ${runtime}, ${rootless === "true" ? "rootless" : "as root"}, storage ${storage}`;
  const isHere = (name: string) => findExecutable(name, env) !== undefined;
  const lacks: string[] = [];
  if (runtime === "crun" && !isHere("runc")) lacks.push("no runc, should crun not work here");
  if (rootless === "true" && !isHere("slirp4netns") && !isHere("pasta")) {
    lacks.push("no slirp4netns, which services need");
  }
  return { ...part, state: "ok", detail: `${detail}${lacks.length === 0 ? "" : ` (${lacks.join("; ")})`}` };
}

async function examineDocker(path: string, env: Environment): Promise<Finding> {
  try {
    await checkDocker(env);
  } catch (error) {
    const [detail = "", remedy = ""] = (error as Error).message.split("\n");
    return { ...part, state: "broken", detail, remedy };
  }
  const answer = await ask(path, ["version", "--format", "{{.Server.Version}}"]);
  if ("problem" in answer) {
    const remedy = "Start Docker's daemon, or set SLIPWAY_ENGINE=process to do without containers";
    return { ...part, state: "broken", detail: `${path} version: ${answer.problem}`, remedy };
  }
  return { ...part, state: "ok", detail: `docker ${answer.output}` };
}
