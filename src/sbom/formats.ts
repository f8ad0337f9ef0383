import type { SbomFormat } from "./contents.ts";

/** By the name of the setting. */
export const sbomFormats: Readonly<Record<"spdx" | "cyclonedx", () => Promise<SbomFormat>>> = {
  spdx: async () => (await import("./spdx.ts")).spdx,
  cyclonedx: async () => (await import("./cyclonedx.ts")).cyclonedx,
};
