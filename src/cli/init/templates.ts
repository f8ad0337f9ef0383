import type { LockedPackage } from "../npm-lock.ts";

export const languages = ["typescript", "python", "any"] as const;

export type Language = (typeof languages)[number];

/** Paths in a repository, and the texts of the files. */
export type Files = Readonly<Record<string, string>>;

export interface Templates {
  readonly settings: Files;
  /** `tools/bazel` and the scripts that it runs. */
  readonly bootstrap: Files;
  /** Paths in the folder of the program. */
  readonly programs: Readonly<Record<Language, Files>>;
}

/** Replaces `{{NAME}}` with values. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a template has {{${name}}}, for which there is no value`);
    return value;
  });
}

/** A pnpm-lock.yaml with one package. tools/bootstrap/bazelisk.sh reads version and digest from it. */
export function bootstrapLock(name: string, { version, integrity }: LockedPackage): string {
  return `lockfileVersion: '9.0'\n\npackages:\n\n  '${name}@${version}':\n    resolution: {integrity: ${integrity}}\n`;
}

/**
 * The modules that Slipway's MODULE.bazel needs. Debian's Bazel resolves modules from a registry that tools/bazel creates, and that registry
 * must have these versions before Bazel has fetched Slipway.
 */
export function moduleDependencies(module: string): string {
  const lines = module.match(/^bazel_dep\((?!.*dev_dependency).*\)$/gm) ?? [];
  return `# What Slipway depends on, for the registry of tools/bootstrap/module_registry.sh.\n${lines.join("\n")}\n`;
}
