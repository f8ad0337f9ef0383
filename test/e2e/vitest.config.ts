import { defineConfig, mergeConfig } from "vitest/config";
import shared from "../../vitest.config.ts";

/** Milliseconds: a first build brings packages and base images. */
const long = 15 * 60 * 1000;

// The files of one target share one Bazel server and its outputs, so they take turns.
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      fileParallelism: false,
      testTimeout: long,
      hookTimeout: long,
      teardownTimeout: long,
      globalSetup: ["test/e2e/teardown.ts"],
    },
  }),
);
