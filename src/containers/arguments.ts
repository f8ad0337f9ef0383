import type { ContainerClient } from "./client.ts";
import { isFromLoopback } from "./loopback.ts";
import type { Attached, ContainerRun, Mount } from "./run-description.ts";
import type { RunFolder } from "./run-folder.ts";

/** The home folder that every container has: writable, empty unless the image fills it, gone with the container. */
const home = "/home/slipway";

/** Hard limits of this process, which podman may not exceed when it lacks CAP_SYS_RESOURCE, and by itself tries to. */
export interface ProcessLimits {
  readonly files: number;
  readonly processes: number;
}

interface RunSettings {
  readonly name: string;
  readonly folder: RunFolder;
  readonly inherited: readonly string[];
  /** Undefined where the machine does not tell. */
  readonly limits: ProcessLimits | undefined;
  /** The OCI runtime that podman shall use instead of its default. */
  readonly runtime?: string;
}

/** Pulls a missing image, runs it and removes the container. Contains no credential and no value of a variable. */
export function runArguments(client: ContainerClient, run: ContainerRun, settings: RunSettings): string[] {
  const { folder } = settings;
  const isPodman = client.name === "podman";
  return [
    // Warnings about the machine, the same in every run, would drown what the program says.
    ...(isPodman ? ["--log-level=error"] : []),
    "run",
    "--rm",
    "--interactive",
    "--quiet",
    "--pull=missing",
    `--name=${settings.name}`,
    `--cidfile=${folder.containerIdFile}`,
    "--log-driver=none",
    ...(isPodman ? podmanArguments(run, settings) : []),
    ...(run.attached ? attachedArguments(run.attached) : confinedArguments(client, run)),
    ...(run.resources.memory === undefined ? [] : [`--memory=${run.resources.memory}b`]),
    ...(run.resources.cpu === undefined ? [] : [`--cpus=${run.resources.cpu}`]),
    ...gpuArguments(client, run.resources.gpu ?? 0),
    ...(run.mounts ?? []).map(mountArgument),
    ...(run.entrypoint === undefined ? [] : [`--entrypoint=${run.entrypoint}`]),
    ...(run.workingDir === undefined ? [] : [`--workdir=${run.workingDir}`]),
    // It would win over the one in the file.
    ...("HOME" in run.env || run.attached ? [] : [`--env=HOME=${home}`]),
    ...settings.inherited.map((name) => `--env=${name}`),
    ...(folder.environmentFile === undefined ? [] : [`--env-file=${folder.environmentFile}`]),
    run.image,
    ...run.programArguments,
  ];
}

export function mountArgument({ source, target, isVolume = false, isWritable = false }: Mount): string {
  const type = isVolume ? "type=volume" : "type=bind";
  const parts = [type, `source=${source}`, `destination=${target}`, ...(isWritable ? [] : ["readonly"])];
  return `--mount=${parts.map(inList).join(",")}`;
}

/** Quotes a part of a list (RFC 4180), so that a comma in a path begins no further part. */
function inList(part: string): string {
  return /[",]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part;
}

export function limitArguments(limits: ProcessLimits | undefined): string[] {
  if (limits === undefined) return [];
  const { files, processes } = limits;
  return [`--ulimit=nofile=${files}:${files}`, `--ulimit=nproc=${processes}:${processes}`];
}

function podmanArguments(run: ContainerRun, { folder, limits, runtime }: RunSettings): string[] {
  return [
    // Either would carry this machine's variables into the container.
    "--env-host=false",
    "--http-proxy=false",
    ...limitArguments(limits),
    ...(runtime === undefined ? [] : [`--runtime=${runtime}`]),
    ...(isFromLoopback(run.image) ? ["--tls-verify=false"] : []),
    ...folder.pullArguments,
  ];
}

function attachedArguments({ isTerminal, options }: Attached): string[] {
  return [...(isTerminal ? ["--tty"] : []), ...options];
}

function confinedArguments({ name }: ContainerClient, { network }: ContainerRun): string[] {
  const confined = [`--network=${network}`, "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"];
  // /tmp, /run and /var/tmp are writable in podman by themselves.
  if (name === "podman") return [...confined, `--mount=type=tmpfs,destination=${home},chown=true`];
  const shared = "rw,exec,nosuid,nodev";
  return [
    ...confined,
    `--tmpfs=/tmp:${shared},mode=1777`,
    `--tmpfs=/run:${shared},mode=1777`,
    `--tmpfs=/var/tmp:${shared},mode=1777`,
    `--tmpfs=${home}:${shared},uid=1000,gid=1000,mode=0755`,
  ];
}

/** Podman knows devices by the names of the Container Device Interface, docker by their count. */
export function gpuArguments(client: ContainerClient, count: number): string[] {
  if (count === 0) return [];
  if (client.name === "docker") return [`--gpus=${count}`];
  return Array.from({ length: count }, (_, index) => `--device=nvidia.com/gpu=${index}`);
}
