import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask } from "./command-output.ts";
import type { Finding } from "./finding.ts";

/** Commands of a machine that has everything. */
const all = {
  bazelisk: "",
  npm: "echo 11.0.0",
  python3: "echo pip 24.0",
  micromamba: "echo 2.3.0",
};
const podman = { podman: "echo 5.0.0 runc true overlay", newuidmap: "", newgidmap: "" };

/** Runs `slipway doctor` on a machine with these commands, each a script. */
function doctor(commands: Record<string, string>, env: Record<string, string> = {}, ...args: string[]) {
  const home = mkdtempSync(join(tmpdir(), "doctor-"));
  const bin = join(home, "bin");
  mkdirSync(bin);
  for (const [name, script] of Object.entries(commands)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  // A podman elsewhere asks nothing of this machine's user.
  const variables = { PATH: bin, HOME: home, BUILD_WORKING_DIRECTORY: home, CONTAINER_HOST: "unix:///nowhere", ...env };
  const program = [join(process.cwd(), "src/cli/main.ts"), "doctor", ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, program, { env: variables, encoding: "utf8" });
  return { status, stdout, stderr };
}

function findings(...machine: Parameters<typeof doctor>): Record<string, Finding> {
  const { stdout } = doctor(machine[0], machine[1] ?? {}, "--json");
  return Object.fromEntries((JSON.parse(stdout) as Finding[]).map((finding) => [finding.part, finding]));
}

describe("slipway doctor", () => {
  it("finds nothing wrong with a machine that has everything but a cluster", () => {
    const { status, stdout, stderr } = doctor({ ...all, ...podman });
    expect(stdout.split("\n").filter((line) => !line.startsWith("ok "))).toEqual([
      "missing  cluster      no kubeconfig",
      expect.stringMatching(/^ +needed for: running jobs on Kubernetes$/),
      expect.stringMatching(/^ +Get a kubeconfig from /),
      "",
    ]);
    expect(stdout).toContain("podman 5.0.0 with runc, rootless, storage overlay (no slirp4netns, which services need)");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("says what a missing engine is needed for and how to get one, and that nothing required is missing", () => {
    const { status, stdout } = doctor(all);
    expect(stdout).toMatch(
      /^missing +engine +neither podman nor docker\n +needed for: running functions.*\n +apt-get install podman/m,
    );
    expect(status).toBe(0);
  });

  it("fails without what is required, and names it", () => {
    const { status, stderr } = doctor({ npm: "echo 11.0.0" });
    expect(stderr).toMatch(/Bazel[\s\S]*\[program-missing\]\n$/);
    expect(status).toBe(1);
    const asJson = doctor({ npm: "echo 11.0.0" }, {}, "--json");
    expect(JSON.parse(asJson.stdout)).toContainEqual(expect.objectContaining({ part: "Bazel", required: true }));
    expect(asJson).toMatchObject({ status: 1, stderr: "" });
  });

  it("needs no npm, and says when one helps", () => {
    const { npm: _, ...others } = all;
    const { status, stdout } = doctor({ ...others, ...podman });
    expect(stdout).toMatch(/^missing +npm +not on PATH\n +needed for: .*nodejs\.org/m);
    expect(status).toBe(0);
  });

  it("says what pip is needed for where Python has none", () => {
    const { status, stdout } = doctor({ ...all, ...podman, python3: "echo No module named pip >&2; exit 1" });
    expect(stdout).toMatch(
      /^missing +pip +.*python3 -m pip: status 1: No module named pip\n +needed for: Python programs/m,
    );
    expect(status).toBe(0);
  });

  it("says which program makes conda environments, and what they are where none does", () => {
    expect(doctor({ ...all, ...podman }).stdout).toMatch(/^ok +conda +micromamba 2\.3\.0 \(/m);
    const { micromamba: _, ...others } = all;
    const { stdout, status } = doctor({ ...others, ...podman });
    expect(stdout).toMatch(
      /^missing +conda +none of micromamba, mamba, conda is on PATH\n +needed for: jobs with CondaEnv/m,
    );
    expect(status).toBe(0);
  });

  it("tells a broken part from a missing one, by what it printed", () => {
    const { engine, npm } = findings({
      ...all,
      npm: "echo no >&2; exit 3",
      podman: "echo 'database is locked' >&2; exit 125",
    });
    expect(engine).toMatchObject({ state: "broken", required: false });
    expect(engine?.detail).toMatch(/podman info: status 125: database is locked$/);
    expect(npm).toMatchObject({ state: "broken", required: false });
  });

  it("takes the Bazel that started it", () => {
    expect(findings({}, { BUILD_WORKSPACE_DIRECTORY: "/w" })["Bazel"]).toMatchObject({
      state: "ok",
      detail: "runs this command",
    });
    expect(findings({})["Bazel"]).toMatchObject({ state: "missing" });
  });

  it("names a registry that does not answer, and one that is no registry", () => {
    const { registry, credentials } = findings(all, { SLIPWAY_REGISTRY: "127.0.0.1:9" });
    expect(registry).toMatchObject({ state: "broken" });
    expect(registry?.detail).toContain("SLIPWAY_REGISTRY=127.0.0.1:9 does not answer: ");
    expect(credentials).toMatchObject({
      state: "missing",
      remedy: "podman login 127.0.0.1:9, or docker login 127.0.0.1:9",
    });
    expect(findings(all, { SLIPWAY_REGISTRY: "no registry" })["registry"]).toMatchObject({ state: "broken" });
  });
});

describe("ask", () => {
  it("does not wait for ever", async () => {
    expect(await ask("/bin/sh", ["-c", "exec sleep 100"], 20)).toEqual({ problem: "no answer within 0.02 s" });
  });
});
