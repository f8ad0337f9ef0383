import { argumentError } from "./arguments.ts";
import type { Context } from "./context.ts";

export type Command = (args: readonly string[], context: Context) => Promise<void>;

/** Loaded on first use, since most processes run only one command. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  layer: async () => (await import("./commands/layer.ts")).layer,
  debian: async () => (await import("./commands/debian.ts")).debian,
  manifest: async () => (await import("./commands/manifest.ts")).manifest,
  import: async () => (await import("./commands/import-layout.ts")).importLayout,
  index: async () => (await import("./commands/image-index.ts")).imageIndex,
  layout: async () => (await import("./commands/layout.ts")).layout,
  tarball: async () => (await import("./commands/tarball.ts")).tarball,
  imports: async () => (await import("./commands/check-imports.ts")).imports,
  sbom: async () => (await import("./commands/sbom.ts")).sbom,
  provenance: async () => (await import("./commands/provenance.ts")).provenance,
  digest: async () => (await import("./commands/digest.ts")).digest,
};

export async function runCommand(args: readonly string[], context: Context): Promise<void> {
  const [name = "", ...rest] = args;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    throw argumentError(
      name,
      `${JSON.stringify(name)} is not a command of the build tool.`,
      `Write one of ${Object.keys(commands).join(", ")}.`,
    );
  }
  const command = await load();
  await command(rest, context);
}
