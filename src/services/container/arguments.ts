import { gpuArguments, limitArguments, mountArgument, type ProcessLimits } from "../../containers/arguments.ts";
import type { ContainerClient } from "../../containers/client.ts";
import { containerNameOf, type Labelled } from "./labels.ts";
import { type HostPorts, loopback } from "./ports.ts";

/** A container that is to be. */
export interface NewContainer extends Labelled {
  /** Its variables, with their values. */
  readonly env: Readonly<Record<string, string>>;
  readonly hostPorts: HostPorts;
  /** Folders of this machine by where the container sees them. */
  readonly mounts: Readonly<Record<string, string>>;
}

interface CreateSettings {
  readonly labelFile: string;
  readonly environmentFile: string | undefined;
  /** Names of variables that the client hands from its own environment into the container. */
  readonly inherited: readonly string[];
  readonly limits: ProcessLimits | undefined;
  /** Seconds that it gets to end. */
  readonly grace: number;
  readonly runtime: string | undefined;
}

/** The lowest port that any program may listen on. */
const firstUnprivileged = 1024;

/**
 * The arguments of the command that makes a container of a service: no capability, no new privilege, ports on loopback alone, started again
 * whenever it ends. No value of a variable is among them.
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
    // Docker does this by itself.
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
    // Either would carry this machine's variables into the container.
    "--env-host=false",
    "--http-proxy=false",
    "--log-driver=k8s-file",
    ...limitArguments(limits),
    ...(runtime === undefined ? [] : [`--runtime=${runtime}`]),
  ];
}
