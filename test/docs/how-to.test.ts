import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { FakeRegistry } from "../../src/registry/client/testdata/fake-registry.ts";
import { isShell, readPage } from "./page.ts";
import { Reader } from "./run.ts";

const pages = ["docs/credentials.md", "docs/registries.md", "docs/jobs.md", "docs/programs.md"];

/** The parts that blocks of the pages need. Nobody has AWS here. */
const parts: Readonly<Record<string, boolean>> = {
  pip: spawnSync("python3", ["-m", "pip", "--version"]).status === 0,
};

/** What a reader has before the first line: passwords, keys, and a job. */
const own = mkdtempSync("/var/tmp/slipway-how-to-");
const files = {
  "registry.txt": "ci\nhunter2\n",
  deploy: "-----BEGIN OPENSSH PRIVATE KEY-----\nbm8ga2V5\n-----END OPENSSH PRIVATE KEY-----\n",
};
const repository = {
  "token.txt": "hunter2\n",
  "pkg/code/report.ts": "export default (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0);\n",
  "pkg/BUILD.bazel": `load("@slipway//bazel:defs.bzl", "job")

job(
    name = "total",
    arguments = [[1, 2, 3]],
    code = {"ServerAvailableFolder": {"code_paths": ["code"]}},
    function = "report.ts",
    interpreter = {"ServerAvailableInterpreter": {"interpreter_path": "SLIPWAY_INTERPRETER"}},
)
`,
};

function write(folder: string, texts: Readonly<Record<string, string>>, mode: number): void {
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode });
  }
}

const registry = await FakeRegistry.start();
registry.intervene = ({ url, headers: { authorization } }, response) => {
  if (url !== "/v2/") return false;
  const isKnown =
    authorization === `Basic ${Buffer.from(files["registry.txt"].trim().replace("\n", ":")).toString("base64")}`;
  response.writeHead(isKnown ? 200 : 401, { "www-authenticate": "Basic realm=x" }).end();
  return true;
};
const reader = new Reader(
  {
    "registry.example.com": registry.host,
    "~/registry.txt": join(own, "registry.txt"),
    "~/.ssh/deploy": join(own, "deploy"),
    REPOSITORY: "team/app",
    // Most readers have Bazel on PATH.
    "bazel run": "tools/bazel run",
    "pass show db": "printf %s hunter2",
  },
  { FILES_PASSWORD: "hunter2" },
);

beforeAll(async () => {
  write(own, files, 0o600);
  await reader.sh("tar -xzf slipway-*.tar.gz");
  await reader.sh("slipway-*/tools/slipway init my-app --language python && cd my-app");
  write(reader.folder, repository, 0o644);
  await reader.sh(`tools/bazel run @slipway//:slipway -- install ${join(reader.home, "bin")}`);
}, 900_000);

afterAll(async () => {
  await reader.end();
  await registry.stop();
  rmSync(own, { recursive: true });
});

describe.each(pages)("a reader of %s", (path) => {
  for (const block of readPage(path).blocks.filter(isShell)) {
    const isHere = block.needs === undefined || parts[block.needs] === true;
    it.skipIf(!isHere || block.isShown)(
      `follows ${block.place}: ${block.text.split("\n", 1)[0]}`,
      () => reader.follow(block),
      900_000,
    );
  }
});
