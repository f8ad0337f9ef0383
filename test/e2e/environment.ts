import { userInfo } from "node:os";
import { join } from "node:path";

/**
 * What the machine's user has set, as far as the BUILD file lets it through, and nothing that Bazel's test runner
 * adds.
 */
export function inherited(): Record<string, string> {
  const present = (process.env["SLIPWAY_TEST_INHERITED"] ?? "").split(" ").flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // Bazel looks the user up otherwise, which a uid without a name ends.
  return { USER: userInfo().username, ...Object.fromEntries(present) };
}

/**
 * The environment of a user who has just typed a command on this machine: caches are the machine's own, so that Bazel
 * and packages are not
 * downloaded again; state, configuration and logins are the test's.
 *
 * @param state `XDG_STATE_HOME`
 */
export function environment(state: string): Record<string, string> {
  return {
    ...inherited(),
    XDG_STATE_HOME: state,
    XDG_CONFIG_HOME: join(state, "config"),
    DOCKER_CONFIG: join(state, "docker"),
    // Where there is podman, its own tests ask for containers.
    SLIPWAY_ENGINE: "process",
  };
}
