import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { slipway: fileURLToPath(new URL("./src/sdk/index.ts", import.meta.url)) } },
  test: { include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"] },
});
