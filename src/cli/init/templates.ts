import type { LockedPackage } from "../npm-lock.ts";

export const languages = ["typescript", "python", "any"] as const;

export type Language = (typeof languages)[number];

export type Files = Readonly<Record<string, string>>;

export interface Templates {
  readonly settings: Files;
  /** `tools/bazel` and the scripts that it runs. */
  readonly bootstrap: Files;
  readonly programs: Readonly<Record<Language, Files>>;
}

export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`a template has {{${name}}}, for which there is no value`);
    return value;
  });
}

/** tools/bootstrap/bazelisk.sh reads version and digest from it. */
export function bootstrapLock(name: string, { version, integrity }: LockedPackage): string {
  return `lockfileVersion: '9.0'\n\npackages:\n\n  '${name}@${version}':\n    resolution: {integrity: ${integrity}}\n`;
}

/** Debian's Bazel needs them in the registry that tools/bazel creates, before it fetches Slipway. */
export function moduleDependencies(module: string): string {
  const lines = module.match(/^bazel_dep\((?!.*dev_dependency).*\)$/gm) ?? [];
  return `# What Slipway depends on, for the registry of tools/bootstrap/module_registry.sh.\n${lines.join("\n")}\n`;
}
