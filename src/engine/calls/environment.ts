import type { Environment } from "../../core/environment.ts";

/** Variables that shells, Python and launch scripts set, and those that only programs read. */
const others =
  /^(_|PWD|OLDPWD|SHLVL|LC_CTYPE|PYTHONPATH|RUNFILES_DIR|SLIPWAY_(MAIN_REPOSITORY|RUNFILES|ENGINE_HELPER|ENGINE_SOCKET))$/;

/** Whether two environments are the same to an engine. */
export function sameEnvironment(one: Environment, other: Environment): boolean {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every(
    (name) => others.test(name) || one[name] === other[name],
  );
}
