import { defineConfig, mergeConfig } from "vitest/config";
import everywhere from "../../vitest.config.ts";

export default mergeConfig(
  everywhere,
  defineConfig({ test: { globalSetup: "src/containers/testdata/dockerd.ts", fileParallelism: false } }),
);
