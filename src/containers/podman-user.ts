import { readFileSync } from "node:fs";
import type { Environment } from "../core/environment.ts";
import { findExecutable } from "../core/executables.ts";
import { userName } from "../core/user-name.ts";

export interface Obstacle {
  readonly reason: string;
  readonly remedy: string;
}

export interface PodmanUser {
  readonly uid: number;
  readonly name: string;
  /** Folder that holds etc/ and proc/; `/`. */
  readonly root: string;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Podman of users other than root needs user namespaces, newuidmap and a range of subordinate IDs. */
export function podmanObstacle(
  env: Environment,
  user: PodmanUser = { uid: process.getuid?.() ?? -1, name: userName(), root: "/" },
): Obstacle | undefined {
  const isElsewhere = Boolean(env["CONTAINER_HOST"]) || process.platform !== "linux";
  if (isElsewhere || user.uid === 0) return undefined;
  const etc = (name: string) => read(`${user.root}etc/${name}`);
  const sys = (name: string) => read(`${user.root}proc/sys/${name}`).trim();
  const notFor = `podman is not set up for the user ${user.name}`;

  if (sys("user/max_user_namespaces") === "0" || sys("kernel/unprivileged_userns_clone") === "0") {
    return {
      reason: `${notFor} (user namespaces are switched off)`,
      remedy: "let root raise user.max_user_namespaces",
    };
  }
  if (findExecutable("newuidmap", env) === undefined || findExecutable("newgidmap", env) === undefined) {
    return { reason: `${notFor} (no newuidmap)`, remedy: "let root install it: apt-get install uidmap" };
  }
  // Another service than the files may hand out ranges; podman then asks it.
  if (/^subid:\s*(?!files\b)\S/m.test(etc("nsswitch.conf"))) return undefined;
  const missing = ["subuid", "subgid"].filter((file) => !hasRange(etc(file), user));
  if (missing.length === 0) return undefined;
  return {
    reason: `${notFor} (no line in /etc/${missing.join(" and /etc/")})`,
    remedy: `let root give a range: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name}`,
  };
}

function hasRange(file: string, user: PodmanUser): boolean {
  return file.split("\n").some((line) => {
    const [owner, start, count] = line.split(":");
    return (owner === user.name || owner === String(user.uid)) && Boolean(start) && Number(count) > 0;
  });
}
