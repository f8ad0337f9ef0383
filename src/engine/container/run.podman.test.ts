import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { evaluate } from "../testdata/evaluate.ts";
import { installedClient, makeImage } from "../testdata/image.ts";
import { startRegistry } from "../testdata/registry.ts";
import { pullWithAccess } from "./pull.ts";

// Containers of a busy machine take their time.
vi.setConfig({ testTimeout: 300_000 });

// Everything temporary in a folder of its own, so that what is left behind shows, whatever else the machine does.
const temporary = mkdtempSync(join(tmpdir(), "containers-"));
vi.stubEnv("TMPDIR", temporary);
afterAll(() => rmSync(temporary, { recursive: true }));

const podman = installedClient();
const made = makeImage(podman);
afterAll(() => made.remove());

describe("a container of podman", () => {
  it("uses runc where crun does not work, and says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crun-"));
    const crun = join(folder, "crun");
    writeFileSync(crun, '#!/bin/sh\necho "crun: cgroups in hybrid mode not supported" >&2\nexit 1\n');
    chmodSync(crun, 0o755);
    const conf = join(folder, "containers.conf");
    writeFileSync(conf, `[engine]\nruntime="crun"\n[engine.runtimes]\ncrun=["${crun}"]\n`);
    const { out, err } = await evaluate(podman, "console.log(1)", made, {
      env: { ...process.env, CONTAINERS_CONF: conf },
    });
    expect(out).toBe("1\n");
    expect(err).toMatch(
      /^slipway: crun does not work on this machine \(OCI runtime error: .*hybrid.*\); using \S+\/runc\n$/m,
    );
  });

  it("is pulled from a loopback registry by a login that no list of processes and no file left behind shows", async () => {
    const login = { username: "token", password: "s3cret-s3cret" };
    const archive = join(mkdtempSync(join(tmpdir(), "image-")), "image.tar");
    execFileSync(podman.path, ["save", "--quiet", "--format=oci-archive", "--output", archive, made.image]);
    const lines: string[] = [];
    const registry = await startRegistry(archive, login, () => lines.push(...commandLines()));
    try {
      await expect(evaluate(podman, "1", { image: registry.image })).rejects.toThrow(
        /Log in with `podman login localhost:\d+`/,
      );
      const { out } = await evaluate(
        podman,
        "console.log(2)",
        { image: registry.image, env: { DECLARED: "s3cret-s3cret" } },
        { login },
      );
      expect(out).toBe("2\n");
      // With an empty image store, by a credential that only Slipway knows of.
      execFileSync(podman.path, ["rmi", "--force", registry.image], { stdio: "ignore" });
      const auths = { [registry.image.split("/", 1)[0] as string]: { auth: btoa(`token:${login.password}`) } };
      const env = { ...process.env, DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) };
      const pull = (image: string) => pullWithAccess(podman, image, env);
      expect((await evaluate(podman, "console.log(3)", { image: registry.image }, { pull })).out).toBe("3\n");
    } finally {
      await registry.close();
      execFileSync(podman.path, ["rmi", "--force", "--ignore", registry.image], { stdio: "ignore" });
    }
    expect(lines.some((line) => line.includes(`${registry.image} -e`))).toBe(true);
    expect(
      lines.filter((line) => line.includes(login.password) || line.includes(btoa(`token:${login.password}`))),
    ).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("slipway-run-"))).toEqual([]);
  });
});

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    });
}
