import { UserError } from "../../core/errors.ts";
import { parseReference } from "../../oci/reference.ts";
import type { ContainerClient } from "./client.ts";

/** What is known to go wrong, by what the client printed, and the step to take. `{registry}` and `{client}` are filled in. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/unauthorized|authentication required|access.*denied|403 Forbidden/i, "Log in with `{client} login {registry}`"],
  [
    /manifest unknown|not found: manifest|name unknown|\b404\b/i,
    "Run the pipeline's own or _push target, which pushes the image",
  ],
  [
    /pinging container registry|connection refused|no such host|i\/o timeout|failed to do request|TLS handshake/i,
    "Check that the registry {registry} runs and can be reached: the pipeline's own target starts the one of this machine",
  ],
  [
    /insufficient UIDs or GIDs|lchown/i,
    "Let root give this user more ids: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER",
  ],
  [/\bcrun\b/i, "Install runc (apt-get install runc), which runs on more machines"],
  [/slirp4netns|pasta/i, "Install what podman's error names"],
  [/Cannot connect to the Docker daemon|docker daemon running/i, "Start Docker's daemon"],
  [/\bEMFILE\b/, "Run fewer at once, or raise the limit of open files (`ulimit -n`)"],
  [
    /executable file .*not found|invoke a command that was not found|exec: .*: no such file/i,
    "Check its command: the image has no such program",
  ],
  [/no space left/i, "Make room, for example by `{client} system prune`"],
];

/** The error for a client that did not get as far as running the program: something of this machine that its user has to mend. */
export function clientFailure(client: ContainerClient, image: string, status: number, words: string): UserError {
  return new UserError(
    `${client.path} run of ${image} failed with status ${status}: ${oneLine(words) || "it printed nothing"}`,
    `${remedyOf(client, image, words)}, or set SLIPWAY_ENGINE=process to run without containers.`,
  );
}

/** What to do about what a client printed, without a full stop. */
export function remedyOf(client: ContainerClient, image: string, words: string): string {
  const { registry } = parseReference(image);
  const known = remedies.find(([pattern]) => pattern.test(words))?.[1] ?? "Run `{client} info` to see whether it works";
  return known.replaceAll("{client}", client.name).replaceAll("{registry}", registry);
}

/** A client's words on one line, without what only its developers need. */
export function oneLine(words: string): string {
  const lines = words.split("\n").filter((line) => line.trim() !== "" && !/^(See|Run) '/.test(line));
  const errors = lines.filter((line) => !line.startsWith("time="));
  return (errors.length > 0 ? errors : lines).map((line) => line.replace(/^(Error|docker): /, "").trim()).join("; ");
}
