import { readFileSync } from "node:fs";
import { hostname, release, type, userInfo } from "node:os";

/** The machine or container that this process finds itself in, in a few words. */
export function describePlace(): string {
  return `${hostname()}, ${system()}, user ${user()}, Node ${process.versions.node}`;
}

function system(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
    if (name !== undefined) return name;
  } catch {
    // Small images and other systems have no such file.
  }
  return `${type()} ${release()}`;
}

function user(): string {
  const { username, uid } = userInfo();
  return uid === -1 ? username : `${username} (${uid})`;
}
