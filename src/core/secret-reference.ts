const prefix = "SECRET:";

/** The names after `SECRET:`. Labels of Kubernetes allow the same. */
export const secretPattern = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** The name in `SECRET:NAME`. Undefined for any other text. */
export function secretIn(value: string): string | undefined {
  return value.startsWith(prefix) ? value.slice(prefix.length) : undefined;
}

/** The problem with a text that starts like a reference. Does not quote the text, which may be the secret. */
export function referenceMistake(value: string): [problem: string, remedy: string] | undefined {
  const name = secretIn(value);
  if (name === undefined || secretPattern.test(name)) return undefined;
  return [
    "does not name a secret",
    "Write SECRET:NAME with the name that `slipway secret set` gave it. If this is the secret itself, change the secret.",
  ];
}
