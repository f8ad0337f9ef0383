import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { findExecutable } from "../../src/core/executables.ts";
import { folderOfTest, git, repositoryOfTest } from "../../src/git/testdata/git-repository.ts";
import { gitServerOfTest } from "../../src/git/testdata/git-server.ts";
import { Machine } from "./machine.ts";

/** Code in two folders, the first of which needs the second. */
const files = {
  "src/report.py": "import helper\n\ndef total(numbers):\n    return helper.add(numbers)\n",
  "src/report.mjs":
    "import { readFileSync } from 'node:fs';\nexport default (numbers) => { readFileSync('report.mjs'); return numbers.reduce((sum, one) => sum + one, 0); };\n",
};
/** Functions that need the package which the files of an environment bring. */
const environments = {
  PipRequirements: {
    "src/with_six.py": "import six\n\ndef total(numbers):\n    return sum(numbers) if six.PY3 else None\n",
  },
  PoetryProject: {
    "src/with_humanize.py": "import humanize\n\ndef total(numbers):\n    return int(humanize.intcomma(sum(numbers)))\n",
  },
  CondaEnv: {
    "src/with_greeting.py":
      "import greeting\n\ndef total(numbers):\n    return sum(numbers) if greeting.main else None\n",
  },
};
const helper = "def add(numbers):\n    return sum(numbers)\n";

/** What an interpreter runs on each engine, and what runs where there is no code. */
interface Row {
  readonly fields: object;
  readonly engines: readonly string[];
  readonly function: string;
  /** Undefined: it cannot be without code. */
  readonly command?: readonly string[];
}

/**
 * Runs every interpreter with every kind of code on these engines, and prints what ran where.
 *
 * @param prepare what the machine needs besides
 */
export async function runMatrix(engines: readonly string[], prepare: (machine: Machine) => void = () => {}) {
  const root = folderOfTest();
  git(root, "init", "--quiet", "app.git");
  const repository = repositoryOfTest(join(root, "app.git"));
  const server = await gitServerOfTest(root);
  const machine = new Machine({ GIT_SSL_CAINFO: server.certificate });
  prepare(machine);
  const source: Record<string, string> = { ...files, ...Object.assign({}, ...Object.values(environments)) };
  for (const name of ["requirements.txt", "pyproject.toml", "poetry.lock"])
    source[`src/${name}`] = readFileSync(join(import.meta.dirname, "../../examples/jobs/code", name), "utf8");
  source["src/condaenv.yml"] = condaFile(machine);
  const commit = repository.commit({ ...source, "src/helper.py": helper });
  machine.write(Object.fromEntries(Object.entries(source).map(([path, text]) => [path.replace("src", "code"), text])));
  machine.write({ "lib/helper.py": helper });

  const pushed = await machine.run("test/jobs/python_push", []);
  const [, image = "", digest = ""] = /^(.*)@(sha256:.*)\n$/.exec(pushed.out) ?? [];
  expect(pushed).toMatchObject({ status: 0 });

  const python = { function: "report:total", command: ["python", "-c", "print(sum([1, 2, 3]))"] };
  const interpreters: Record<string, Row> = {
    ContainerAtTag: { fields: { repository: image, tag: "3.11" }, engines: ["container", "kubernetes"], ...python },
    ContainerAtDigest: { fields: { repository: image, digest }, engines: ["container", "kubernetes"], ...python },
    ServerAvailableInterpreter: {
      fields: { interpreter_path: findExecutable("python3", machine.env) },
      engines: ["process"],
      ...python,
    },
    ...Object.fromEntries(
      Object.entries(environments)
        .filter(([kind]) => kind !== "CondaEnv" || hasConda(machine))
        .map(([kind, modules]) => {
          const [path = ""] = Object.keys(modules);
          const name = `${path.replace(/^src\/|\.py$/g, "")}:total`;
          return [
            kind,
            { fields: { base: `${image}@${digest}` }, engines: ["process", "container", "kubernetes"], function: name },
          ];
        }),
    ),
    SLIPWAY_INTERPRETER: {
      fields: { interpreter_path: "SLIPWAY_INTERPRETER" },
      engines: ["process"],
      function: "report.mjs",
      command: ["node", "-p", "1 + 2 + 3"],
    },
  };
  const repo_url = `${server.url}/app.git/.git`;
  const codes: Record<string, object | undefined> = {
    GitRepoBranch: { repo_url, path_to_source: "src" },
    GitRepoCommit: { repo_url, commit, path_to_source: "src" },
    ServerAvailableFolder: { code_paths: ["code", "lib"] },
    none: undefined,
  };

  let ran = "";
  const note = async (interpreter: string, code: string, engine: string, run: () => ReturnType<Machine["slipway"]>) => {
    if (!engines.includes(engine)) return;
    const start = performance.now();
    const outcome = await run();
    const { out, error, status } = outcome;
    if (out !== "6\n" || status !== 0) throw new Error(`${interpreter}, ${code}, ${engine}: ${status}, ${out}${error}`);
    const seconds = Number(((performance.now() - start) / 1000).toFixed(1));
    ran += `${JSON.stringify({ interpreter, code, engine, seconds })}\n`;
  };
  for (const [interpreter, row] of Object.entries(interpreters)) {
    const kind = interpreter === "SLIPWAY_INTERPRETER" ? "ServerAvailableInterpreter" : interpreter;
    for (const [code, fields] of Object.entries(codes)) {
      if (fields === undefined && row.command === undefined) continue;
      const name = `${interpreter}-${code}.json`;
      const what = fields
        ? { code: { [code]: fields }, function: row.function, arguments: [[1, 2, 3]] }
        : { command: row.command };
      machine.write({ [name]: JSON.stringify({ interpreter: { [kind]: row.fields }, ...what }) });
      for (const engine of row.engines) {
        await note(interpreter, code, engine, () => machine.slipway(["job", "run", name, "--engine", engine]));
      }
    }
  }
  // A pipeline, whose image has its code in it, by its Bazel target.
  for (const engine of ["container", "kubernetes"]) {
    await note("ImageTarget", "none", engine, () => machine.run("test/jobs/program_job", ["--engine", engine]));
  }

  if (!hasConda(machine))
    process.stdout.write("CondaEnv was not run: this machine has neither micromamba nor mamba nor conda.\n");
  process.stdout.write(ran);
  const outputs = process.env["TEST_UNDECLARED_OUTPUTS_DIR"];
  if (outputs !== undefined && existsSync(outputs)) writeFileSync(join(outputs, "jobs.jsonl"), ran);
}

/** Whether there is a program that makes conda environments. */
function hasConda({ env }: Machine): boolean {
  return ["micromamba", "mamba", "conda"].some((name) => findExecutable(name, env) !== undefined);
}

/** A conda environment file, whose packages are in a channel of the test's own. */
function condaFile(machine: Machine): string {
  if (!hasConda(machine)) return "";
  const channel = join(machine.home, "channel");
  // The channel has the Python that writes it, and the system's own needs no library of its own beside it.
  const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
  execFileSync(python, [join(import.meta.dirname, "channel.py"), channel], { env: machine.env });
  // Conda would have pip with every Python, and this channel has none.
  machine.env["CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY"] = "false";
  return `channels: ["file://${channel}"]\ndependencies: [python, greeting]\n`;
}
