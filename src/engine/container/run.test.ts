import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { ContainerRun } from "../engine.ts";
import { stopAll } from "../interrupts.ts";
import { installedPodman, makeImage } from "../testdata/image.ts";
import { startRegistry } from "../testdata/registry.ts";
import { type ContainerRunOptions, runContainer } from "./run.ts";

// Containers of a busy machine take their time.
vi.setConfig({ testTimeout: 60_000 });

// Everything temporary in a folder of its own, so that what is left behind shows, whatever else the machine does.
const temporary = mkdtempSync(join(tmpdir(), "containers-"));
vi.stubEnv("TMPDIR", temporary);
afterAll(() => rmSync(temporary, { recursive: true }));

const podman = installedPodman();
const made = makeImage(podman.path);
afterAll(() => made.remove());

async function evaluate(code: string, run: Partial<ContainerRun> = {}, options: ContainerRunOptions = {}) {
  const [out, err]: Buffer[][] = [[], []];
  const whole = {
    image: made.image,
    programArguments: ["-e", code],
    env: {},
    stdin: "",
    network: "none",
    resources: {},
    onStdout: (chunk: Buffer) => void out?.push(chunk),
    ...run,
  } as const;
  const onStderr = (chunk: Buffer) => void err?.push(chunk);
  const status = await runContainer(podman, whole, { onStderr, ...options });
  return { status, out: Buffer.concat(out ?? []).toString(), err: Buffer.concat(err ?? []).toString() };
}

function containers(image = made.image): string {
  return execFileSync(podman.path, ["ps", "--all", "--quiet", "--filter", `ancestor=${image}`], {
    encoding: "utf8",
  });
}

describe("a container of podman", () => {
  it("gets its input, gives its output and status, and is gone", async () => {
    const echo =
      'process.stdin.pipe(process.stdout); process.stdin.on("end", () => { console.error("err"); process.exitCode = 7 })';
    const stdin = "x".repeat(2 * 1024 * 1024);
    expect(await evaluate(echo, { stdin })).toEqual({ status: 7, out: stdin, err: "err\n" });
    expect(containers()).toBe("");
  });

  it("has a read-only root, a writable home and /tmp, one network interface, no capability and no way to gain any", async () => {
    const code = `
      const tried = (path) => { try { fs.writeFileSync(path, ""); return true } catch { return false } };
      const status = fs.readFileSync("/proc/self/status", "utf8");
      console.log(JSON.stringify({
        root: tried("/x"), home: tried(process.env.HOME + "/x"), tmp: tried("/tmp/x"), uid: process.getuid(),
        interfaces: fs.readdirSync("/sys/class/net"), capabilities: /CapBnd:\\s*(\\w+)/.exec(status)[1], locked: /NoNewPrivs:\\s*(\\d)/.exec(status)[1],
      }))`;
    expect(JSON.parse((await evaluate(code)).out)).toEqual({
      ...{
        root: false,
        home: true,
        tmp: true,
        uid: 1000,
        interfaces: ["lo"],
        capabilities: "0000000000000000",
        locked: "1",
      },
    });
  });

  it("sees declared variables alone, also those that mean something to podman itself", async () => {
    const env = { PATH: "/declared", XDG_DATA_HOME: "/declared", http_proxy: "p", TEXT: "a\nb" };
    const code = 'console.log(JSON.stringify({ ...process.env, container: "", HOSTNAME: "", TERM: "" }))';
    const options = { env: { ...process.env, HTTPS_PROXY: "http://user:secret@proxy", UNDECLARED: "secret" } };
    const { out } = await evaluate(code, { env }, options);
    expect(JSON.parse(out)).toEqual({ ...env, HOME: "/home/slipway", container: "", HOSTNAME: "", TERM: "" });
  });

  it("passes on what looks like podman's own words", async () => {
    const code =
      'console.error("Error: mine"); console.error("more"); console.error("Error: last"); process.exitCode = 1';
    expect(await evaluate(code)).toMatchObject({ status: 1, err: "Error: mine\nmore\nError: last\n" });
  });

  it("is an error of podman's when the image has no such program", async () => {
    const run = evaluate("", { image: "localhost/slipway-none:latest" });
    await expect(run).rejects.toThrow(
      /podman run of localhost\/slipway-none:latest failed with status 125: .+\n.+SLIPWAY_ENGINE=process/s,
    );
  });

  it("is killed and removed when it does not end by itself", async () => {
    let running = () => {};
    const ready = new Promise<void>((resolve) => {
      running = resolve;
    });
    const ended = evaluate(
      'process.on("SIGTERM", () => {}); setTimeout(() => {}, 1e8); console.log("up")',
      { onStdout: running },
      { grace: 1 },
    );
    await Promise.race([ready, ended]);
    await stopAll("SIGTERM");
    expect((await ended).status).toBe(137);
    expect(containers()).toBe("");
  });

  it("uses runc where crun does not work, and says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crun-"));
    const crun = join(folder, "crun");
    writeFileSync(crun, '#!/bin/sh\necho "crun: cgroups in hybrid mode not supported" >&2\nexit 1\n');
    chmodSync(crun, 0o755);
    const conf = join(folder, "containers.conf");
    writeFileSync(conf, `[engine]\nruntime="crun"\n[engine.runtimes]\ncrun=["${crun}"]\n`);
    const { out, err } = await evaluate("console.log(1)", {}, { env: { ...process.env, CONTAINERS_CONF: conf } });
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
      await expect(evaluate("1", { image: registry.image }, {})).rejects.toThrow(
        /Log in with `podman login localhost:\d+`/,
      );
      const { out } = await evaluate(
        "console.log(2)",
        { image: registry.image, env: { DECLARED: "s3cret-s3cret" } },
        { login },
      );
      expect(out).toBe("2\n");
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
