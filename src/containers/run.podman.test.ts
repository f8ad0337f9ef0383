import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { executable } from "../core/testdata/executable.ts";
import { FakeRegistry } from "../registry/client/testdata/fake-registry.ts";
import { pullWithAccess } from "./pull.ts";
import { evaluate } from "./testdata/evaluate.ts";
import { installedClient, makeImage } from "./testdata/image.ts";

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
    const crun = executable("crun", '#!/bin/sh\necho "crun: cgroups in hybrid mode not supported" >&2\nexit 1\n');
    const conf = join(dirname(crun), "containers.conf");
    writeFileSync(conf, `[engine]\nruntime="crun"\n[engine.runtimes]\ncrun=["${crun}"]\n`);
    const env = { ...process.env, CONTAINERS_CONF: conf };
    const { out, err } = await evaluate(podman, "console.log(1)", made, { env });
    expect(out).toBe("1\n");
    expect(err).toMatch(
      /^slipway: crun does not work on this machine \(OCI runtime error: .*hybrid.*\); using \S+\/runc\n$/m,
    );
  });

  it("is pulled from a loopback registry by a login that no list of processes and no file left behind shows", async () => {
    const login = { username: "token", password: "s3cret-s3cret" };
    const auth = btoa(`token:${login.password}`);
    const lines: string[] = [];
    await using registry = await FakeRegistry.start();
    registry.intervene = ({ url }, response) => url === "/v2/" && Boolean(response.end());
    const digestFile = join(mkdtempSync(join(tmpdir(), "push-")), "digest");
    const push = ["push", "--tls-verify=false", "--digestfile", digestFile, made.image, `${registry.host}/test/image`];
    await promisify(execFile)(podman.path, push);
    const image = `${registry.host}/test/image@${readFileSync(digestFile, "utf8")}`;
    registry.intervene = ({ headers, url }, response) => {
      lines.push(...commandLines());
      if (headers.authorization !== `Basic ${auth}`) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      } else if (url === "/v2/") response.end();
      return response.writableEnded;
    };
    try {
      await expect(evaluate(podman, "1", { image })).rejects.toThrow(/Log in with `podman login localhost:\d+`/);
      const declared = { image, env: { DECLARED: login.password } };
      expect((await evaluate(podman, "console.log(2)", declared, { login })).out).toBe("2\n");
      // With an empty image store, by a credential that only Slipway knows of.
      execFileSync(podman.path, ["rmi", "--force", image], { stdio: "ignore" });
      const env = { ...process.env, DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [registry.host]: { auth } } }) };
      const pull = (image: string) => pullWithAccess(podman, image, env);
      expect((await evaluate(podman, "console.log(3)", { image }, { pull })).out).toBe("3\n");
    } finally {
      execFileSync(podman.path, ["rmi", "--force", "--ignore", image], { stdio: "ignore" });
    }
    expect(lines.some((line) => line.includes(`${image} -e`))).toBe(true);
    expect(lines.filter((line) => line.includes(login.password) || line.includes(auth))).toEqual([]);
    expect(readdirSync(temporary).filter((name) => name.startsWith("slipway-run-"))).toEqual([]);
  });

  it("says all 5 seconds what it pulls, and nothing once its program runs", async () => {
    await using registry = await FakeRegistry.start();
    const ping = (url: string | undefined, response: ServerResponse) => url === "/v2/" && Boolean(response.end());
    registry.intervene = ({ url }, response) => ping(url, response);
    const digestFile = join(mkdtempSync(join(tmpdir(), "push-")), "digest");
    // podman removes an image with all its names: the other test's is gone.
    const own = makeImage(podman);
    onTestFinished(() => own.remove());
    const push = ["push", "--tls-verify=false", "--digestfile", digestFile, own.image, `${registry.host}/test/slow`];
    await promisify(execFile)(podman.path, push);
    const image = `${registry.host}/test/slow@${readFileSync(digestFile, "utf8")}`;
    const told: { readonly text: string; readonly at: number }[] = [];
    registry.intervene = async ({ method, url }, response) => {
      if (method === "GET" && url?.includes("/manifests/")) {
        await vi.waitUntil(() => told.length >= 3, { timeout: 60_000, interval: 100 });
      }
      return ping(url, response);
    };
    const onStderr = (data: Buffer) => void told.push({ text: data.toString(), at: performance.now() });
    const code = "console.log(1); setTimeout(() => {}, 9000)";
    const { out } = await evaluate(podman, code, { image }, { onStderr, login: { username: "u", password: "p" } });
    expect(out).toBe("1\n");
    const texts = told.map(({ text }) => text);
    // One was due while the container was made.
    expect(texts.length).toBeLessThanOrEqual(4);
    expect(texts.map((text) => text.replace(/\d+ s/, "N s"))).toEqual(
      texts.map(() => `slipway: podman is pulling ${image} (N s)\n`),
    );
    const silences = told.slice(1).map(({ at }, index) => at - (told[index]?.at ?? 0));
    // On a machine that is busy.
    expect(Math.max(...silences)).toBeLessThan(8000);
    execFileSync(podman.path, ["rmi", "--force", "--ignore", image], { stdio: "ignore" });
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
