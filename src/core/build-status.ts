/** The output of `--workspace_status_command`, and Bazel's own variables, such as `BUILD_TIMESTAMP`. */
export type BuildStatus = ReadonlyMap<string, string>;

/** Addresses lose user and password: those of some git remotes contain a token. */
export function parseBuildStatus(texts: readonly string[]): BuildStatus {
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [, name = "", value = ""] = /^(\S*) ?(.*)$/.exec(line) ?? [];
      return [name, value.replace(/\b(https?:\/\/)[^/\s]*@/gi, "$1")];
    }),
  );
}

/** The remedy for a text with a variable that the build status lacks. */
export function statusRemedy(status: BuildStatus): string {
  const known = [...status.keys()].sort().join(", ");
  return `Print it in the command of --workspace_status_command, or use one of ${known}.`;
}
