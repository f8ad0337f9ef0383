import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { AvailablePackage, PackageIndex } from "./package-index.ts";
import type { Alternative, Dependency } from "./relation.ts";
import { satisfies } from "./version.ts";

/**
 * `Pre-Depends` and `Depends` in newest versions, without essential packages. Of alternatives and providers, one that
 * is in the closure wins, else the first available.
 *
 * @throws UserError with the nearest name of an unknown package, or the chain of an unsatisfied dependency
 */
export function resolveClosure(
  index: PackageIndex,
  roots: readonly string[],
  excluded: ReadonlySet<string> = new Set(),
): AvailablePackage[] {
  const chosen = new Map<string, AvailablePackage>();
  const queue: { entry: AvailablePackage; because: readonly string[] }[] = [];
  const take = (entry: AvailablePackage, because: readonly string[]) => {
    if (chosen.has(entry.name)) return;
    chosen.set(entry.name, entry);
    queue.push({ entry, because: [...because, entry.name] });
  };
  for (const name of roots) {
    const entry = index.newest(name) ?? soleProvider(index, name);
    take(entry, []);
  }
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { entry, because } = next;
    for (const dependency of entry.depends) {
      if (dependency.some(({ name }) => excluded.has(name))) continue;
      const candidates = dependency.flatMap((alternative) => candidatesFor(index, alternative));
      if (candidates.some(({ name }) => chosen.has(name) || excluded.has(name))) continue;
      const [first] = candidates;
      if (first === undefined) {
        throw new UserError(
          { code: "package-not-found", culprit: entry.name },
          `${because.join(" needs ")} needs ${written(dependency)}, which no package of these suites satisfies.`,
          "Add the suite or component that has it, or exclude it by its name if the image works without.",
        );
      }
      take(first, because);
    }
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function candidatesFor(index: PackageIndex, { name, operator, version }: Alternative): AvailablePackage[] {
  const real = index.newest(name);
  const fits =
    real !== undefined &&
    (operator === undefined || version === undefined || satisfies(real.version, operator, version));
  return [...(fits ? [real] : []), ...index.providers(name, operator, version)];
}

function soleProvider(index: PackageIndex, name: string): AvailablePackage {
  const providers = index.providers(name);
  if (providers.length === 1 && providers[0] !== undefined) return providers[0];
  if (providers.length > 1) {
    throw new UserError(
      { code: "package-not-found", culprit: name },
      `${name} is a virtual package, and several packages provide it: ${providers.map((entry) => entry.name).join(", ")}.`,
      "Name one of them.",
    );
  }
  const near = nearest(name, index.names(), 3);
  throw new UserError(
    { code: "package-not-found", culprit: name },
    `These suites have no package ${name}.`,
    near === undefined ? "Check its name, suite and component." : `Did you mean ${near}?`,
  );
}

function written(dependency: Dependency): string {
  return dependency
    .map(({ name, operator, version }) => (operator === undefined ? name : `${name} (${operator} ${version})`))
    .join(" | ");
}
