import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Machine } from "./machine.ts";

it("a conda environment is made once from a channel of this test, on processes and in containers", async () => {
  const machine = new Machine();
  const channel = join(machine.home, "channel");
  // The system's own, where there is one: others may need libraries that images do not have.
  const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
  execFileSync(python, [join(import.meta.dirname, "channel.py"), channel]);
  const version = execFileSync(python, ["-c", "import platform; print(platform.python_version())"], {
    encoding: "utf8",
  }).trim();
  const settings = `default_channels: []\nadd_pip_as_python_dependency: false\npkgs_dirs: [${machine.home}/packages]\n${process.env["SLIPWAY_TEST_CONDARC"] ?? ""}\n`;
  machine.write({
    "condarc.yml": settings,
    "code/condaenv.yml": `channels: ["file://${channel}"]\ndependencies: [python=${version}, greeting=1]\n`,
    "conda.json": JSON.stringify({
      interpreter: { CondaEnv: {} },
      code: { ServerAvailableFolder: { code_paths: ["code"] } },
      command: [
        "python",
        "-c",
        "import subprocess, sys, os; print(subprocess.check_output(['greet']).decode().strip()); assert open(sys.prefix + '/etc/greeting.conf').read() == 'home = ' + os.environ['CONDA_PREFIX'] + '/share\\n'",
      ],
    }),
  });
  const pushed = await machine.run("test/jobs/python_push", []);
  machine.env["CONDARC"] = join(machine.home, "condarc.yml");
  machine.env["SLIPWAY_ENVIRONMENT_BASE"] = `${pushed.out.split("@", 1)[0]}:3.11`;
  for (const engine of ["process", "container"]) {
    const run = () => machine.slipway(["job", "run", "--engine", engine, "conda.json"]);
    expect({ engine, ...(await run()) }).toMatchObject({
      out: "hello\n",
      error: expect.stringContaining("making the environment"),
      status: 0,
    });
    expect({ engine, ...(await run()) }).toMatchObject({
      out: "hello\n",
      error: expect.not.stringContaining("making"),
      status: 0,
    });
  }
}, 600_000);
