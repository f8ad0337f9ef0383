import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "./environment.ts";

/** The XDG specification says that a relative path in one of its variables must be ignored. */
function folder(env: Environment, variable: string, fallback: string): string {
  const value = env[variable];
  const root = value?.startsWith("/") ? value : join(env["HOME"] || homedir(), fallback);
  return join(root, "slipway");
}

/** Where data lives that survives a restart but is this machine's: `$XDG_STATE_HOME/slipway`, default `~/.local/state/slipway`. */
export function stateFolder(env: Environment = process.env): string {
  return folder(env, "XDG_STATE_HOME", ".local/state");
}

/** Where the user's configuration lives: `$XDG_CONFIG_HOME/slipway`, default `~/.config/slipway`. */
export function configFolder(env: Environment = process.env): string {
  return folder(env, "XDG_CONFIG_HOME", ".config");
}

/** Where what can be made again lives: `$XDG_CACHE_HOME/slipway`, default `~/.cache/slipway`. */
export function cacheFolder(env: Environment = process.env): string {
  return folder(env, "XDG_CACHE_HOME", ".cache");
}

/**
 * The user's configuration file: `$SLIPWAY_CONFIG`, default `config.yaml` in the configuration folder, which need not exist.
 *
 * @returns `named`: the variable names it, so it must exist
 */
export function configFile(env: Environment = process.env): { readonly path: string; readonly named: boolean } {
  const named = env["SLIPWAY_CONFIG"];
  return named ? { path: named, named: true } : { path: join(configFolder(env), "config.yaml"), named: false };
}
