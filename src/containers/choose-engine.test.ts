import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { detectEngine } from "./choose-engine.ts";

/** A PATH with these commands on it, and a HOME with nothing. */
function machine(...commands: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "machine-"));
  mkdirSync(join(folder, "bin"));
  for (const command of commands) {
    writeFileSync(join(folder, "bin", command), "#!/bin/sh\nexit 1\n");
    chmodSync(join(folder, "bin", command), 0o755);
  }
  return { PATH: join(folder, "bin"), HOME: folder };
}

describe("detectEngine", () => {
  it("takes podman, then docker", () => {
    // A remote podman asks nothing of this machine and user.
    const remote = { CONTAINER_HOST: "ssh://elsewhere", DOCKER_HOST: "tcp://elsewhere:2376" };
    const both = machine("podman", "docker");
    const podman = { name: "podman", path: join(both.PATH, "podman") };
    expect(detectEngine({ ...both, ...remote })).toEqual({ kind: "container", client: podman });
    const docker = machine("docker");
    const client = { name: "docker", path: join(docker.PATH, "docker") };
    expect(detectEngine({ ...docker, ...remote })).toEqual({ kind: "container", client });
  });

  it("runs processes where there is no engine, and says so in one line", () => {
    expect(detectEngine(machine())).toEqual({
      kind: "process",
      remark: "slipway: this runs on this machine, not in containers: neither podman nor docker is installed",
    });
  });

  it("takes what is asked for, without a remark", () => {
    expect(detectEngine({ ...machine("podman"), SLIPWAY_ENGINE: "process" })).toEqual({ kind: "process" });
    expect(detectEngine({ ...machine(), SLIPWAY_ENGINE: "kubernetes" })).toEqual({ kind: "kubernetes" });
    const asked = detectEngine({ ...machine("docker"), DOCKER_HOST: "tcp://h:1", SLIPWAY_ENGINE: "container" });
    expect(asked.kind).toBe("container");
  });

  it.each([
    ["container", "engine-unavailable", "SLIPWAY_ENGINE=container"],
    ["podman", "variable-invalid", "SLIPWAY_ENGINE"],
  ] as const)("refuses SLIPWAY_ENGINE=%s", (engine, code, culprit) => {
    expect(() => detectEngine({ ...machine(), SLIPWAY_ENGINE: engine })).toThrow(userErrorWith(code, culprit));
  });
});
