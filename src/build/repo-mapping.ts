/**
 * Bazel's repository mapping (`SOURCE,APPARENT,TARGET` per line) without the lines of repositories with interpreters or packages for one
 * platform. They look up no runfiles, and their names depend on the platforms of image and build machine, which would make the image depend
 * on the build machine.
 *
 * @param prefixes prefixes of the names of such repositories, after the module extension's prefix
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
