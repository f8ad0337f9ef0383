const folder = `src/${process.env.SLIPWAY_MUTATED}`;

export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "tools/mutation/vitest.config.ts" },
  mutate: [`${folder}/**/*.ts`, `${folder}/**/*.mts`, "!**/*.test.ts", "!**/testdata/**"],
  // Constants are used before a test begins: each would start a process of its own.
  ignoreStatic: true,
  ignorePatterns: ["bazel-*", "docs", "examples", "python"],
  reporters: ["clear-text", "json", "progress"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: "tools/mutation/node_modules/report.json" },
  tempDirName: "tools/mutation/.stryker",
  // There is no file of this name: Stryker would rewrite it by an interface that TypeScript 7 does not have.
  tsconfigFile: "tools/mutation/no.json",
};
