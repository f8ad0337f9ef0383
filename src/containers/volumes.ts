import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Volumes } from "../config/volumes.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { tryProgram } from "../core/run-program.ts";
import type { ContainerClient } from "./client.ts";
import { isOnThisMachine } from "./reach.ts";
import type { Mount } from "./run-description.ts";

export function absoluteVolumes(volumes: Volumes, base: string): Volumes {
  return Object.fromEntries(
    Object.entries(volumes).map(([path, volume]) => [
      path,
      "folder" in volume ? { ...volume, folder: resolve(base, volume.folder) } : volume,
    ]),
  );
}

/** For a process of this machine. @throws UserError unless each volume is a folder at its own path */
export async function requireInPlace(volumes: Volumes): Promise<void> {
  for (const [path, volume] of Object.entries(volumes)) {
    if (
      "folder" in volume &&
      (await foundFolder(path, volume.folder)) === (await realpath(path).catch(() => undefined))
    )
      continue;
    throw refused(
      path,
      "cannot be mounted for a process of this machine",
      "Run it in a container or on Kubernetes, or use a folder whose path is the same inside and outside.",
    );
  }
}

/** @throws UserError for a folder or a volume that is missing: the client would make it, or report something else */
export async function volumeMounts(volumes: Volumes, client: ContainerClient, env: Environment): Promise<Mount[]> {
  return Promise.all(
    Object.entries(volumes).map(async ([target, volume]): Promise<Mount> => {
      const isWritable = volume.writable ?? false;
      if ("claim" in volume) {
        await requireVolume(target, volume.claim, client, env);
        return { source: volume.claim, target, isVolume: true, isWritable };
      }
      if (!isOnThisMachine(client, env)) {
        const problem = `is a folder of this machine, where ${client.name} does not run`;
        throw refused(target, problem, `Put its content into a volume there, and name it as \`claim\`.`);
      }
      const source = await foundFolder(target, volume.folder);
      if (/[\n\r]/.test(source))
        throw refused(target, "is a folder whose name contains a line break", "Rename the folder.");
      return { source, target, isWritable };
    }),
  );
}

/** The claims of volumes, by path. @throws UserError for a folder of this machine */
export function claimsOf(volumes: Volumes): readonly { path: string; claim: string; isWritable: boolean }[] {
  return Object.entries(volumes).map(([path, volume]) => {
    if ("claim" in volume) return { path, claim: volume.claim, isWritable: volume.writable ?? false };
    throw refused(
      path,
      "is a folder of this machine, which the nodes of a cluster do not have",
      "Copy its content into a PersistentVolumeClaim, and name it as `claim`.",
    );
  });
}

async function foundFolder(path: string, folder: string): Promise<string> {
  const status = await stat(folder).catch(() => undefined);
  if (status?.isDirectory()) return realpath(folder);
  const problem = status === undefined ? "does not exist on this machine" : "is not a folder";
  throw refused(path, `names ${folder}, which ${problem}`, "Make the folder, or name another one.");
}

async function requireVolume(path: string, name: string, client: ContainerClient, env: Environment): Promise<void> {
  const words = ["volume", "inspect", "--format={{.Name}}", name];
  const { stdout } = await tryProgram(client.path, words, { env, time: 30_000 });
  // podman takes the beginning of a name for the name, and then mounts an empty volume.
  if (stdout.trim() === name) return;
  const problem = `names ${name}, and ${client.name} has no volume of that name`;
  throw refused(path, problem, `Make it with \`${client.name} volume create ${name}\`, or name another one.`);
}

function refused(path: string, problem: string, remedy: string): UserError {
  return new UserError({ code: "volume-unusable", culprit: path }, `volumes: ${path} ${problem}.`, remedy);
}
