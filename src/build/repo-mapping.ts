/**
 * Bazel's repository mapping (`SOURCE,APPARENT,TARGET` per line) without what it says for the repositories with interpreters, and those with
 * packages for one platform: they look up no runfiles, and their names differ by the platforms of the image and of the machine that builds,
 * which the image must not.
 *
 * @param prefixes what such a repository is called, after what module extensions put before its name
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
