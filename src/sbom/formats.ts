import type { SbomFormat } from "./contents.ts";

export const sbomFormats: Readonly<Record<"spdx" | "cyclonedx", () => Promise<SbomFormat>>> = {
  spdx: async () => (await import("./spdx.ts")).spdx,
  cyclonedx: async () => (await import("./cyclonedx.ts")).cyclonedx,
};
