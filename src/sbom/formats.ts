import type { SbomFormat } from "./contents.ts";

/** The formats of SBOMs, by the name of the setting. A format is loaded when it is asked for. */
export const sbomFormats: Readonly<Record<"spdx" | "cyclonedx", () => Promise<SbomFormat>>> = {
  spdx: async () => (await import("./spdx.ts")).spdx,
  cyclonedx: async () => (await import("./cyclonedx.ts")).cyclonedx,
};
