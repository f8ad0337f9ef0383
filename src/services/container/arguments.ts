import { gpuArguments, limitArguments, mountArgument, type ProcessLimits } from "../../containers/arguments.ts";
import type { ContainerClient } from "../../containers/client.ts";
import { containerNameOf, type Labelled } from "./labels.ts";
import { type HostPorts, loopback } from "./ports.ts";

export interface NewContainer extends Labelled {
  readonly env: Readonly<Record<string, string>>;
  readonly hostPorts: HostPorts;
  /** Folders of this machine by their paths in the container. */
  readonly mounts: Readonly<Record<string, string>>;
}

interface CreateSettings {
  readonly labelFile: string;
  readonly environmentFile: string | undefined;
  /** Variables that the client passes on from its own environment. */
  readonly inherited: readonly string[];
  readonly limits: ProcessLimits | undefined;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly grace: number;
  readonly runtime: string | undefined;
}

const firstUnprivileged = 1024;

/**
 * The arguments that create a container: no capability, no new privilege, ports only on loopback, always
 * restarted. They contain no value of a variable.
 */
export function createArguments(client: ContainerClient, wanted: NewContainer, settings: CreateSettings): string[] {
  const { image, command, resources, ports } = wanted.facts;
  const isPodman = client.name === "podman";
  const [program, ...rest] = command ?? [];
  return [
    ...(isPodman ? ["--log-level=error"] : []),
    "create",
    `--name=${containerNameOf(wanted)}`,
    `--label-file=${settings.labelFile}`,
    "--pull=never",
    "--restart=always",
    `--stop-timeout=${settings.grace}`,
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    ...[...wanted.hostPorts].map(([port, hostPort]) => `--publish=${loopback}:${hostPort}:${port}/tcp`),
    // Docker sets this itself.
    ...(isPodman && ports.some((port) => port < firstUnprivileged)
      ? ["--sysctl=net.ipv4.ip_unprivileged_port_start=0"]
      : []),
    ...(isPodman ? podmanArguments(settings) : ["--log-driver=json-file", "--log-opt=max-file=2"]),
    "--log-opt=max-size=64m",
    ...(resources.memory === undefined ? [] : [`--memory=${resources.memory}b`]),
    ...(resources.cpu === undefined ? [] : [`--cpus=${resources.cpu}`]),
    ...gpuArguments(client, resources.gpu ?? 0),
    ...Object.entries(wanted.mounts).map(([target, source]) => mountArgument({ source, target })),
    ...settings.inherited.map((name) => `--env=${name}`),
    ...(settings.environmentFile === undefined ? [] : [`--env-file=${settings.environmentFile}`]),
    ...(program === undefined ? [] : [`--entrypoint=${isPodman ? JSON.stringify([program]) : program}`]),
    image,
    ...rest,
  ];
}

function podmanArguments({ limits, runtime }: CreateSettings): string[] {
  return [
    // Either would pass this machine's variables into the container.
    "--env-host=false",
    "--http-proxy=false",
    "--log-driver=k8s-file",
    ...limitArguments(limits),
    ...(runtime === undefined ? [] : [`--runtime=${runtime}`]),
  ];
}
