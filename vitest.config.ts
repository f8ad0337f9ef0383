import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";

const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** Tests that a part of the machine is for, by the ending of their names. `full` takes minutes. */
const parts: Readonly<Record<string, () => boolean>> = {
  cluster: () => Boolean(process.env["KUBECONFIG"]),
  container: () => has("podman"),
  full: () => false,
  large: () => false,
  memory: () => false,
  podman: () => has("podman"),
  pyspdxtools: () => has("pyspdxtools"),
};

/** Held back where whole folders are run. Bazel names each file, and knows the machine itself. */
const named = process.argv.filter((argument) => argument.endsWith(".test.ts"));
const missing = named.length > 0 ? [] : Object.keys(parts).filter((part) => !parts[part]?.());

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
    exclude: [...configDefaults.exclude, "**/bazel-*/**", ...missing.map((part) => `**/*.${part}.test.ts`)],
  },
});
