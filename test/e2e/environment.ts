import { userInfo } from "node:os";
import { join } from "node:path";

/** What the machine's user has set for reaching what is downloaded, and nothing that Bazel's test runner adds. */
const kept = [
  "HOME",
  "HTTPS_PROXY",
  "HTTP_PROXY",
  "LANG",
  "LOGNAME",
  "NODE_EXTRA_CA_CERTS",
  "NO_PROXY",
  "PATH",
  "SSL_CERT_FILE",
  "USER",
  "XDG_CACHE_HOME",
  "XDG_RUNTIME_DIR",
  "http_proxy",
  "https_proxy",
  "no_proxy",
];

/**
 * The environment of a user who has just typed a command on this machine: caches are the machine's own, so that Bazel and packages are not
 * downloaded again; state, configuration and logins are the test's.
 *
 * @param state `XDG_STATE_HOME`
 */
export function environment(state: string): Record<string, string> {
  const present = kept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    // Bazel looks it up otherwise, which a uid without a name ends.
    USER: userInfo().username,
    ...Object.fromEntries(present),
    XDG_STATE_HOME: state,
    XDG_CONFIG_HOME: join(state, "config"),
    DOCKER_CONFIG: join(state, "docker"),
    // Where there is podman, its own tests ask for containers.
    SLIPWAY_ENGINE: "process",
  };
}
