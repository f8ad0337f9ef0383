import type { VersionOperator } from "./version.ts";

export interface Alternative {
  readonly name: string;
  readonly operator?: VersionOperator;
  readonly version?: string;
}

/** `a | b`: one must be there, the first wins. */
export type Dependency = readonly Alternative[];

const ALTERNATIVE =
  /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s)]+)\s*\))?\s*(?:\[[^\]]*\])?$/i;

/** The obsolete operators `<` and `>` mean "or equal" (Policy Manual 7.1). */
const OBSOLETE: Readonly<Record<string, VersionOperator>> = { "<": "<=", ">": ">=" };

/** `Depends`, `Pre-Depends`, `Provides` (Policy Manual 7.1). Architecture qualifiers (`:any`) are dropped. */
export function parseRelations(field: string | undefined): Dependency[] {
  const dependencies: Dependency[] = [];
  for (const clause of (field ?? "").split(",")) {
    const alternatives: Alternative[] = [];
    for (const text of clause.split("|")) {
      const match = ALTERNATIVE.exec(text.trim());
      if (match?.[1] === undefined) continue;
      const [, name, operator, version] = match;
      alternatives.push({
        name,
        ...(operator && version && { operator: OBSOLETE[operator] ?? (operator as VersionOperator), version }),
      });
    }
    if (alternatives.length > 0) dependencies.push(alternatives);
  }
  return dependencies;
}
