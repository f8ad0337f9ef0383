import { UserError } from "../core/errors.ts";

/** Variables by which the client finds its configuration, storage, daemon and network, or is loaded itself. */
const ofClient =
  /^(PATH|HOME|USER|TMPDIR|LD_.*|XDG_.*|(_)?CONTAINERS?_.*|DOCKER_.*|PODMAN_.*|BUILDAH_.*|STORAGE_.*|REGISTRY_.*|SSL_.*|GO[A-Z]+|DBUS_.*|NOTIFY_SOCKET|LISTEN_.*|(https?|no|all)_proxy)$/i;

/**
 * A file has variables that the client would heed, and cannot hold line ends; others go through its environment.
 * Neither way shows a value in a list of processes.
 */
export function divideEnvironment(env: Readonly<Record<string, string>>): {
  readonly inherited: Readonly<Record<string, string>>;
  readonly file: string;
} {
  const entries = Object.entries(env);
  for (const [name, value] of entries) {
    const isValid =
      /^[^=\s\0#*][^=\s\0*]*$/.test(name) && !value.includes("\0") && !(ofClient.test(name) && /[\r\n]/.test(value));
    if (isValid) continue;
    throw new UserError(
      { code: "variable-invalid", culprit: name },
      `The environment variable ${JSON.stringify(name)} cannot be passed to a container.`,
      "Its name must be a word. Its value must not contain NUL, or a line break if container engines use the variable themselves.",
    );
  }
  const own = entries.filter(([name]) => ofClient.test(name));
  const inherited = Object.fromEntries(entries.filter(([name]) => !ofClient.test(name)));
  return { inherited, file: own.map(([name, value]) => `${name}=${value}\n`).join("") };
}
