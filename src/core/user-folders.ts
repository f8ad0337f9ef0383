import { userInfo } from "node:os";
import { join } from "node:path";
import type { Environment } from "./environment.ts";
import { UserError } from "./errors.ts";

/**
 * The user's home: HOME, else what the system knows.
 *
 * @throws UserError if HOME is a relative path, which would be another folder for every command
 */
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
  return join(root, "slipway");
}

/** Folder for data that survives a restart but belongs to this machine: `$XDG_STATE_HOME/slipway`, default `~/.local/state/slipway`. */
export function stateFolder(env: Environment = process.env): string {
  return folder(env, "XDG_STATE_HOME", ".local/state");
}

/** Folder for the user's configuration: `$XDG_CONFIG_HOME/slipway`, default `~/.config/slipway`. */
export function configFolder(env: Environment = process.env): string {
  return folder(env, "XDG_CONFIG_HOME", ".config");
}

/** Folder for data that can be recreated: `$XDG_CACHE_HOME/slipway`, default `~/.cache/slipway`. */
export function cacheFolder(env: Environment = process.env): string {
  return folder(env, "XDG_CACHE_HOME", ".cache");
}

/**
 * The user's configuration file: `$SLIPWAY_CONFIG`, by default `config.yaml` in the configuration folder. The default need not exist.
 *
 * @returns `named`: set by the variable, so it must exist
 */
export function configFile(env: Environment = process.env): { readonly path: string; readonly named: boolean } {
  const named = env["SLIPWAY_CONFIG"];
  return named ? { path: named, named: true } : { path: join(configFolder(env), "config.yaml"), named: false };
}
