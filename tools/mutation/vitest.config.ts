import { defineConfig, mergeConfig } from "vitest/config";
import config from "../../vitest.config.ts";

/** The tests of one folder that need no part of the machine. */
const folder = `src/${process.env["SLIPWAY_MUTATED"]}`;
const { include: _, ...test } = config.test ?? {};
export default mergeConfig(
  { ...config, test },
  defineConfig({
    test: {
      include: [`${folder}/**/*.test.ts`],
      exclude: ["**/*.{cluster,container,podman,full,large,memory}.test.ts"],
    },
  }),
);
