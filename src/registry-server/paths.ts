import { lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { stateFolder } from "../core/user-folders.ts";
import { sha256, splitDigest } from "../oci/digest.ts";
import { ifMissing } from "./errors.ts";
import { checkPrivate, privateFolder } from "./files.ts";

export type RegistryPaths = Readonly<ReturnType<typeof registryPaths>>;

/** The kernel's limit less a final zero: 108 on Linux, 104 on macOS. */
const longestSocketPath = (process.platform === "linux" ? 108 : 104) - 1;

/** Creates nothing. A socket's path that is too long moves to XDG_RUNTIME_DIR or /tmp, named by a hash. */
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
    data: join(folder, "data"),
    port: join(folder, "port"),
    lock: join(folder, "lock"),
    log: join(folder, "server.log"),
    requests: join(folder, "requests.log"),
    /** Copies of the server and of Node, named by content. */
    programs: join(folder, "programs"),
  };
}

export async function makeRegistryFolders(paths: RegistryPaths): Promise<void> {
  for (const folder of [paths.folder, dirname(paths.socket), paths.data, paths.programs]) await privateFolder(folder);
}

/** Only this user can have created the socket. @throws UserError if its folder is open to others, who may answer */
export async function socketExists(paths: RegistryPaths): Promise<boolean> {
  await checkPrivate(dirname(paths.socket)).catch(ifMissing);
  return (await lstat(paths.socket).catch(ifMissing))?.isSocket() ?? false;
}

/** With the last words of the log, or the reason. */
export function notStarted({ log }: RegistryPaths, reason: string): Failure {
  return new Failure(
    { code: "embedded-registry", culprit: log },
    `The embedded registry did not start${reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`}.`,
    `Read its log, ${log}.`,
  );
}
