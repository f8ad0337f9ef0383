import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { stateFolder } from "../core/user-folders.ts";
import { sha256, splitDigest } from "../oci/digest.ts";
import { ifMissing } from "./errors.ts";
import { checkPrivate, privateFolder } from "./files.ts";

/** The files of a user's embedded registry. */
export type RegistryPaths = Readonly<ReturnType<typeof registryPaths>>;

/** The kernel's limit of a socket's path, less its final zero: 108 on Linux, 104 on macOS. */
const longestSocketPath = (process.platform === "linux" ? 108 : 104) - 1;

/**
 * Returns the paths without creating files.
 *
 * The socket is in the state folder. If that path is too long for the kernel, it is in `$XDG_RUNTIME_DIR/slipway`, else in `/tmp/slipway-UID`. Its
 * name is then derived from the state folder, so that two state folders do not share a socket.
 */
export function registryPaths(env: Environment = process.env) {
  const folder = join(stateFolder(env), "registry");
  let socket = join(folder, "registry.sock");
  if (Buffer.byteLength(socket) > longestSocketPath) {
    const runtime = env["XDG_RUNTIME_DIR"];
    const name = `${splitDigest(sha256(folder)).hex.slice(0, 16)}.sock`;
    const folders = [
      ...(runtime?.startsWith("/") ? [join(runtime, "slipway")] : []),
      `/tmp/slipway-${process.getuid?.() ?? 0}`,
    ];
    socket =
      folders.map((each) => join(each, name)).find((path) => Buffer.byteLength(path) <= longestSocketPath) ?? socket;
  }
  return {
    /** `…/slipway/registry`, mode 0700; everything below is in it, unless the socket's path would be too long. */
    folder,
    socket,
    /** Blobs, manifests and tags. */
    data: join(folder, "data"),
    /** The port that this user's registry answers on. */
    port: join(folder, "port"),
    /** Held by the live server. */
    lock: join(folder, "lock"),
    /** The server's stderr, with fatal errors. */
    log: join(folder, "server.log"),
    /** One line per request. */
    requests: join(folder, "requests.log"),
    /** Copies of the server and of Node, named by content. */
    programs: join(folder, "programs"),
  };
}

/** Creates the folders, private to this user. */
export async function makeRegistryFolders(paths: RegistryPaths): Promise<void> {
  for (const folder of [paths.folder, dirname(paths.socket), paths.data, paths.programs]) await privateFolder(folder);
}

/**
 * Whether a server may be running: the socket exists, and only this user can have created it.
 *
 * @throws UserError if its folder is open to others, since another user's program may answer there
 */
export async function socketExists(paths: RegistryPaths): Promise<boolean> {
  await checkPrivate(dirname(paths.socket)).catch(ifMissing);
  return (await lstat(paths.socket).catch(ifMissing))?.isSocket() ?? false;
}

/** The error for an embedded registry that did not start, with the last words of its log or the reason. */
export function notStarted({ log }: RegistryPaths, reason: string): Failure {
  return new Failure(
    { code: "embedded-registry", culprit: log },
    `The embedded registry did not start${reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`}.`,
    `Read its log, ${log}.`,
  );
}
