// Changes the code of folders of src in small ways, one at a time, and counts the changes that their tests see:
// `tools/bazel run //tools/mutation -- oci layer`.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const root = process.env["BUILD_WORKSPACE_DIRECTORY"] ?? process.cwd();
const own = join(root, "tools/mutation");
const folders = process.argv.slice(2);
const unknown = folders.find((folder) => !existsSync(join(root, "src", folder)));
if (folders.length === 0 || unknown !== undefined) {
  console.error(unknown === undefined ? "No folder is named." : `src has no folder ${unknown}.`);
  console.error("Name folders of src, as in: tools/bazel run //tools/mutation -- oci layer");
  process.exit(2);
}
if (!existsSync(join(root, "node_modules/vitest"))) {
  console.error("The packages of the tests are not installed.\nRun: npm exec --package=pnpm@10 -- pnpm install");
  process.exit(2);
}

function run(command: string, args: readonly string[], cwd: string, env = {}): void {
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit", env: { ...process.env, ...env } });
  if (status !== 0) process.exit(status ?? 1);
}

run(
  "npm",
  ["exec", "--yes", "--package=pnpm@10", "--", "pnpm", "install", "--frozen-lockfile", "--ignore-workspace"],
  own,
);
// Its configuration names a tsconfig that is not there: Stryker would rewrite one by an interface that TypeScript 7
// does not have. Static mutants are left out:
// constants are used before a test begins, and each would start a process of its own.
for (const folder of folders) {
  const mutate = [`src/${folder}/**/*.{ts,mts}`, "!**/*.test.ts", "!**/testdata/**"].join(",");
  const args = ["run", "tools/mutation/stryker.config.json", "--mutate", mutate];
  run(join(own, "node_modules/.bin/stryker"), args, root, { SLIPWAY_MUTATED: folder });
  const report = JSON.parse(readFileSync(join(own, "node_modules/report.json"), "utf8")) as {
    readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>;
  };
  const count = (...statuses: readonly string[]) =>
    Object.values(report.files).flatMap(({ mutants }) => mutants.filter(({ status }) => statuses.includes(status)))
      .length;
  const [seen, unseen] = [count("Killed", "Timeout"), count("Survived", "NoCoverage")];
  console.log(JSON.stringify({ folder, seen, unseen, score: Math.round((1000 * seen) / (seen + unseen)) / 10 }));
}
