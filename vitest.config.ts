import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  // A Bazel test may write nowhere else.
  ...(process.env["TEST_TMPDIR"] ? { cacheDir: `${process.env["TEST_TMPDIR"]}/vite` } : {}),
  resolve: { alias: { slipway: fileURLToPath(new URL("./src/sdk/index.ts", import.meta.url)) } },
  // How long a busy machine takes says nothing about the code: the limit is for what hangs.
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    include: [
      "docs/**/*.test.ts",
      "src/**/*.test.ts",
      "test/**/*.test.ts",
      "tools/**/*.test.ts",
      "examples/**/*.test.ts",
    ],
    // Bazel's links in the examples lead to copies of the tests.
    exclude: [...configDefaults.exclude, "**/bazel-*/**"],
  },
});
