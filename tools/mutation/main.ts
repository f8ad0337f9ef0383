// Changes the code of src in small ways, one at a time, and counts the changes that the tests of its folder see:
// `tools/bazel run //tools/mutation -- oci src/layer/plan.ts`. Lists the changes that none sees.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

interface Mutant {
  readonly status: string;
  readonly replacement: string;
  readonly location: Readonly<Record<"start" | "end", { readonly line: number; readonly column: number }>>;
}

type Report = { readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: Mutant[] }>> };

const root = process.env["BUILD_WORKSPACE_DIRECTORY"] ?? process.cwd();
const own = join(root, "tools/mutation");
const all = process.argv.includes("--all");
const named = process.argv.slice(2).filter((argument) => argument !== "--all");

function refuse(...lines: readonly string[]): never {
  console.error(lines.join("\n"));
  process.exit(2);
}

/** Of a folder of src, or the one file. */
function sourcesOf(name: string): readonly string[] {
  const path = name.startsWith("src/") ? name : `src/${name}`;
  const sources = globSync([path, `${path}/**/*.{ts,mts}`], { cwd: root })
    .filter((file) => /\.m?ts$/.test(file) && !/\.test\.ts$|\.d\.mts$|\/testdata\//.test(file))
    .sort();
  return sources.length > 0 ? sources : refuse(`${path} is neither a folder of src nor a source file.`, usage);
}

const usage = "Name folders or files of src, as in: tools/bazel run //tools/mutation -- oci src/layer/plan.ts";
if (named.length === 0) refuse("No folder is named.", usage);
const folders = Map.groupBy(named.flatMap(sourcesOf), (file) => file.split("/")[1] ?? "");
if (!existsSync(join(root, "node_modules/vitest"))) {
  refuse("The packages of the tests are not installed.", "Run: npm exec --package=pnpm@10 -- pnpm install");
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
for (const [folder, files] of folders) {
  const stryker = join(own, "node_modules/@stryker-mutator/core/bin/stryker.js");
  const kept = join("tools/mutation/node_modules/.results", `${folder}.json`);
  const args = [stryker, "run", "tools/mutation/stryker.config.json", "--mutate", files.join(",")];
  // The copy that is changed stays out of the tree: linters and tests would find it.
  args.push("--concurrency", "1", "--tempDirName", join(tmpdir(), "slipway-mutation"));
  args.push("--incremental", "--incrementalFile", kept, ...(all ? ["--force"] : []));
  run(process.execPath, args, root, { SLIPWAY_MUTATED: folder });
  const report = JSON.parse(readFileSync(join(own, "node_modules/report.json"), "utf8")) as Report;
  let [seen, unseen] = [0, 0];
  for (const file of files) {
    const { source, mutants } = report.files[file] ?? { source: "", mutants: [] };
    const missed = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
    for (const mutant of missed) console.log(`${file}:${line(source, mutant)}`);
    seen += mutants.filter(({ status }) => status === "Killed" || status === "Timeout").length;
    unseen += missed.length;
  }
  console.log(JSON.stringify({ folder, seen, unseen, score: Math.round((1000 * seen) / (seen + unseen)) / 10 }));
}

/** As `12:5 count > 0 → true`, without tests if no test runs that line. */
function line(source: string, { status, replacement, location: { start, end } }: Mutant): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  lines[last] = lines[last]?.slice(0, end.column - 1) ?? "";
  lines[0] = lines[0]?.slice(start.column - 1) ?? "";
  const short = (text: string) => text.replace(/\s+/g, " ").slice(0, 90);
  const untested = status === "NoCoverage" ? " (no test runs it)" : "";
  return `${start.line}:${start.column} ${short(lines.join("\n"))} → ${short(replacement)}${untested}`;
}
