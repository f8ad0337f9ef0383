/** `repository:NAME:pull,push` for token services. */
export interface Access {
  readonly repository: string;
  readonly actions: readonly ("pull" | "push" | "delete")[];
}

export function pulling(repository: string): Access[] {
  return [{ repository, actions: ["pull"] }];
}

export function pushing(repository: string): Access[] {
  return [{ repository, actions: ["pull", "push"] }];
}

export function formatScope(access: Access): string {
  return `repository:${access.repository}:${access.actions.join(",")}`;
}

/** Merges scopes of one resource, since some services grant only the first of two. */
export function mergeScopes(needed: readonly string[], challenged: string | undefined): string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of [...needed, ...(challenged?.split(" ") ?? [])]) {
    const colon = scope.lastIndexOf(":");
    if (colon < 1) continue;
    const resource = scope.slice(0, colon);
    const known = actions.get(resource) ?? new Set();
    actions.set(resource, known);
    for (const action of scope.slice(colon + 1).split(",")) if (action !== "") known.add(action);
  }
  return [...actions].map(([resource, granted]) => `${resource}:${[...granted].join(",")}`);
}
