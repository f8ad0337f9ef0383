import { lstatSync, type Stats, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Environment } from "./environment.ts";
import { UserError } from "./errors.ts";

/** @throws UserError if HOME is a relative path, which would be another folder for every command */
export function homeFolder(env: Environment = process.env): string {
  const home = env["HOME"] || homeOfUser();
  if (home.startsWith("/")) return home;
  throw new UserError(
    { code: "variable-invalid", culprit: "HOME" },
    home === "" ? "HOME is not set, and this user has no home." : `HOME is ${home}, which is not an absolute path.`,
    "Set HOME to the path of your home folder.",
  );
}

function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return "";
  }
}

/** The XDG specification requires ignoring relative paths in its variables. */
function folder(env: Environment, variable: string, fallback: string): string {
  const value = env[variable];
  const root = value?.startsWith("/") ? value : join(homeFolder(env), fallback);
  const path = join(root, "slipway");
  checkOwner(path, value?.startsWith("/") ? variable : "HOME");
  return path;
}

/** Refuses a folder of another user than root, who could replace what is in it. */
function checkOwner(path: string, variable: string): void {
  const own = process.getuid?.();
  // A link and what it leads to: the owner of either one chooses the content.
  for (const uid of [ownerOf(path, lstatSync), ownerOf(path, statSync)]) {
    if (uid === undefined || own === undefined || uid === own || uid === 0) continue;
    throw new UserError(
      { code: "folder-unsafe", culprit: path },
      `${path} belongs to the user with id ${uid}.`,
      `Remove it, make it yours with chown, or set ${variable} to a folder that only you can write to.`,
    );
  }
}

function ownerOf(path: string, status: (path: string) => Stats): number | undefined {
  try {
    return status(path).uid;
  } catch {
    // Missing, or closed to this user: the error of whoever uses it says more.
    return undefined;
  }
}

export function stateFolder(env: Environment = process.env): string {
  return folder(env, "XDG_STATE_HOME", ".local/state");
}

export function configFolder(env: Environment = process.env): string {
  return folder(env, "XDG_CONFIG_HOME", ".config");
}

/** Data that can be made again. */
export function cacheFolder(env: Environment = process.env): string {
  return folder(env, "XDG_CACHE_HOME", ".cache");
}

/** The user's configuration file. `named`: SLIPWAY_CONFIG names it, so it must exist. */
export function configFile(env: Environment = process.env): { readonly path: string; readonly named: boolean } {
  const named = env["SLIPWAY_CONFIG"];
  return named ? { path: named, named: true } : { path: join(configFolder(env), "config.yaml"), named: false };
}
