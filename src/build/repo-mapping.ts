/** Drops repositories (by prefix) for one platform, which would tie the image to this machine. */
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
