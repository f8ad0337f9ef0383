import type { ErrorCode } from "../core/error-codes.ts";
import { type ErrorIdentity, UserError } from "../core/errors.ts";
import { parseReference } from "../oci/reference.ts";
import type { ContainerClient } from "./client.ts";

/** Words of the client, the remedy, and the code if it is not the engine's. Fills in `{registry}`, `{client}`. */
const known: readonly (readonly [pattern: RegExp, remedy: string, code?: ErrorCode])[] = [
  [
    /unauthorized|authentication required|access.*denied|403 Forbidden/i,
    "Log in with `{client} login {registry}`, or `slipway credentials add --service docker --url {registry}`",
    "image-pull-failed",
  ],
  [
    /manifest unknown|not found: manifest|name unknown|\b404\b/i,
    "Correct the image's name, or push it: a pipeline's own and _push targets do",
    "image-pull-failed",
  ],
  [
    /pinging container registry|connection refused|no such host|i\/o timeout|failed to do request|TLS handshake/i,
    "Check that the registry {registry} runs and can be reached: the pipeline's own target starts the one of this machine",
    "image-pull-failed",
  ],
  [
    /insufficient UIDs or GIDs|lchown/i,
    "Give this user more ids, as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER",
  ],
  [
    /executable file .*not found|invoke a command that was not found|exec: .*: no such file/i,
    "Check its command: the image has no such program",
    "image-unsuitable",
  ],
  [/\bcrun\b/i, "Install runc (apt-get install runc), which runs on more machines"],
  [
    /slirp4netns|pasta|netavark|aardvark|iptables|nftables/i,
    "Install the program that {client}'s error names (apt-get install netavark iptables slirp4netns)",
  ],
  [
    /CDI devices|nvidia\.com\/gpu|device driver .*gpu/i,
    "Remove `gpu`, or install the NVIDIA Container Toolkit (nvidia-ctk cdi generate)",
  ],
  [/Cannot connect to the Docker daemon|docker daemon running/i, "Start Docker's daemon"],
  [/\bEMFILE\b/, "Run fewer at once, or raise the limit of open files (`ulimit -n`)"],
  [/no space left/i, "Free space, for example with `{client} system prune`"],
];

/** Words of a client that a registry refuses, or that does not trust the registry. */
const refusal =
  /unauthorized|authentication required|(?<!permission )denied|forbidden|no basic auth|x509|certificate|tls: |HTTP response to HTTPS|status code from registry 400/i;

export function isRefusal(words: string): boolean {
  return refusal.test(words);
}

export function clientFailure(client: ContainerClient, image: string, status: number, words: string): UserError {
  return new UserError(
    failureIdentity(client, image, words),
    `${client.path} run of ${image} failed with status ${status}: ${oneLine(words) || "it printed nothing"}`,
    `${remedyOf(client, image, words)}, or set SLIPWAY_ENGINE=process to run without containers.`,
  );
}

export function failureIdentity(client: ContainerClient, image: string, words: string): ErrorIdentity {
  const code = knownFailure(words)?.[2];
  return code ? { code, culprit: image } : { code: "engine-unavailable", culprit: client.name };
}

export function remedyOf(client: ContainerClient, image: string, words: string): string {
  const { registry } = parseReference(image);
  const [, remedy = "Run `{client} info` to see whether it works"] = knownFailure(words) ?? [];
  return remedy.replaceAll("{client}", client.name).replaceAll("{registry}", registry);
}

function knownFailure(words: string) {
  return known.find(([pattern]) => pattern.test(words));
}

/** A client's words on one line, without what only its developers need. */
export function oneLine(words: string): string {
  const lines = words.split("\n").filter((line) => line.trim() !== "" && !/^(See|Run) '/.test(line));
  const errors = lines.filter((line) => !line.startsWith("time="));
  return (errors.length > 0 ? errors : lines).map((line) => line.replace(/^(Error|docker): /, "").trim()).join("; ");
}
