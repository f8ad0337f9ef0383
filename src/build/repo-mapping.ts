/**
 * Drops repositories of interpreters or packages for one platform, which would make the image depend on the build
 * machine.
 *
 * @param prefixes prefixes of their names, after the module extension's
 */
export function withoutRepositories(mapping: Buffer, prefixes: readonly string[]): Buffer {
  const kept = mapping
    .toString()
    .split(/(?<=\n)/)
    .filter((line) => {
      const name = line.slice(0, line.indexOf(",")).split(/[~+]/).at(-1) ?? "";
      return !prefixes.some((prefix) => name.startsWith(prefix));
    });
  return Buffer.from(kept.join(""));
}
