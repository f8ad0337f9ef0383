import { UserError } from "../../core/errors.ts";

/** Variables by which the client finds its configuration, storage, daemon and way to the network, or is loaded itself. */
const ofClient =
  /^(PATH|HOME|USER|TMPDIR|LD_.*|XDG_.*|(_)?CONTAINERS?_.*|DOCKER_.*|PODMAN_.*|BUILDAH_.*|STORAGE_.*|REGISTRY_.*|SSL_.*|GO[A-Z]+|DBUS_.*|NOTIFY_SOCKET|LISTEN_.*|(https?|no|all)_proxy)$/i;

/** A container's variables, divided by the way they take into it. Neither way shows a value in a list of processes. */
export interface DividedEnvironment {
  /** Set for the client, which is told their names alone. */
  readonly inherited: Readonly<Record<string, string>>;
  /** Lines of a file, for variables that mean something to the client itself. */
  readonly file: string;
}

/**
 * Divides a container's variables. What the client would heed itself goes through a file, which has a line for each and so cannot hold
 * line ends; all else through the client's own environment.
 *
 * @throws UserError naming a variable that no container can be given
 */
export function divideEnvironment(env: Readonly<Record<string, string>>): DividedEnvironment {
  const entries = Object.entries(env);
  for (const [name, value] of entries) {
    const isValid =
      /^[^=\s\0#][^=\s\0]*$/.test(name) && !value.includes("\0") && !(ofClient.test(name) && /[\r\n]/.test(value));
    if (isValid) continue;
    throw new UserError(
      { code: "variable-invalid", culprit: name },
      `The environment variable ${JSON.stringify(name)} cannot be passed to a container.`,
      "Its name must be a word. Its value must not contain NUL, or a line break if container engines use the variable themselves.",
    );
  }
  const [own, others] = [
    entries.filter(([name]) => ofClient.test(name)),
    entries.filter(([name]) => !ofClient.test(name)),
  ];
  return { inherited: Object.fromEntries(others), file: own.map(([name, value]) => `${name}=${value}\n`).join("") };
}
