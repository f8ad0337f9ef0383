import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { parseReference } from "../../oci/reference.ts";
import type { ContainerClient } from "./client.ts";
import { dockerConfigFolder, dockerContext } from "./docker-endpoint.ts";

/** A name and password for one registry, short-lived. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** The files of one run, for this user's eyes alone, removed by {@link RunFolder.remove} or when this process ends. */
export interface RunFolder {
  /** Written by the client once the container exists, that is, after any pull. */
  readonly containerIdFile: string;
  readonly environmentFile?: string;
  /** podman's `--authfile`. */
  readonly authFile?: string;
  /** What makes docker use the login. */
  readonly variables: Readonly<Record<string, string>>;
  /** Puts one more file there. */
  readonly write: (name: string, content: string) => string;
  readonly remove: () => void;
}

/** Folders of the runs under way. One listener for all: Node warns of many. */
const folders = new Set<() => void>();

function removeAll(): void {
  for (const remove of folders) remove();
}

/** Makes the folder. Without a login the client uses what the user has logged in to. */
export function makeRunFolder(
  client: ContainerClient,
  image: string,
  environment: string,
  login: Login | undefined,
  env: Environment,
): RunFolder {
  const folder = mkdtempSync(join(tmpdir(), "slipway-run-"));
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600, flag: "wx" });
    return path;
  };
  const remove = () => {
    folders.delete(remove);
    if (folders.size === 0) process.removeListener("exit", removeAll);
    rmSync(folder, { recursive: true, force: true });
  };
  if (folders.size === 0) process.on("exit", removeAll);
  folders.add(remove);

  const files = {
    containerIdFile: join(folder, "container-id"),
    ...(environment === "" ? {} : { environmentFile: write("environment", environment) }),
    variables: {},
    write,
    remove,
  };
  if (login === undefined) return files;
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  const auths = { [parseReference(image).registry]: { auth } };
  if (client.name === "podman") return { ...files, authFile: write("auth.json", JSON.stringify({ auths })) };

  // Docker has one folder for logins and contexts: the user's contexts must stay in view.
  const currentContext = dockerContext(env);
  write("config.json", JSON.stringify({ auths, ...(currentContext === undefined ? {} : { currentContext }) }));
  const contexts = join(dockerConfigFolder(env), "contexts");
  if (existsSync(contexts)) symlinkSync(contexts, join(folder, "contexts"));
  return { ...files, variables: { DOCKER_CONFIG: folder } };
}
