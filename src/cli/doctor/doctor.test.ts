import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Outcome, run } from "../testdata/slipway.ts";
import { ask } from "./command-output.ts";
import type { Finding } from "./finding.ts";

/** Commands of a machine that has everything. */
const all = {
  bazelisk: "",
  git: "echo git version 2.39.5",
  npm: "echo 11.0.0",
  python3: "echo pip 24.0",
  micromamba: "echo 2.3.0",
};
const podman = { podman: "echo 5.0.0 runc true overlay", newuidmap: "", newgidmap: "" };

/** Runs `slipway doctor` on a machine with these commands, each a script. */
function doctor(
  commands: Record<string, string | undefined>,
  env: Record<string, string> = {},
  ...args: string[]
): Promise<Outcome> {
  const home = mkdtempSync(join(tmpdir(), "doctor-"));
  const bin = join(home, "bin");
  mkdirSync(bin);
  writeFileSync(join(home, "MODULE.bazel"), "");
  for (const [name, script] of Object.entries(commands)) {
    if (script === undefined) continue;
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  // A podman elsewhere asks nothing of this machine's user.
  const variables = { PATH: bin, HOME: home, BUILD_WORKING_DIRECTORY: home, CONTAINER_HOST: "unix:///nowhere", ...env };
  return run(["doctor", ...args], { env: variables });
}

async function findings(...[commands, env = {}]: Parameters<typeof doctor>): Promise<Record<string, Finding>> {
  const { out } = await doctor(commands, env, "--json");
  return Object.fromEntries((JSON.parse(out) as Finding[]).map((finding) => [finding.part, finding]));
}

describe("slipway doctor", () => {
  it("finds nothing wrong with a machine that has everything but a cluster", async () => {
    const { status, out, error } = await doctor({ ...all, ...podman });
    expect(out.split("\n").filter((line) => !line.startsWith("ok "))).toEqual([
      "missing  cluster        no kubeconfig",
      expect.stringMatching(/^ +needed for: running jobs and functions on Kubernetes$/),
      expect.stringMatching(/^ +Get a kubeconfig from /),
      "",
    ]);
    expect(out).toContain("podman 5.0.0 with runc, rootless, storage overlay");
    expect(out).toMatch(/^ok +conda +micromamba 2\.3\.0 \(/m);
    expect({ status, error }).toEqual({ status: 0, error: "" });
  });

  it("fails without what is required, and names it", async () => {
    expect(await doctor({ npm: "echo 11.0.0" })).toMatchObject({
      error: "slipway: does not work: Bazel\n",
      status: 1,
    });
    const { out, ...asJson } = await doctor({ npm: "echo 11.0.0" }, {}, "--json");
    expect(JSON.parse(out)).toContainEqual(expect.objectContaining({ part: "Bazel", required: true }));
    expect(asJson).toEqual({ status: 1, error: "" });
  });

  it("checks engines and credentials outside a workspace, where Bazel is not required", async () => {
    const { npm, podman: engine } = { ...all, ...podman };
    const { out, error, status } = await doctor({ npm, podman: engine }, { BUILD_WORKING_DIRECTORY: "/" });
    expect(out).toMatch(/^missing +Bazel .*\n +needed for: building and running targets/m);
    expect(out).toMatch(/^ok +engine +podman 5\.0\.0/m);
    expect(out).toMatch(/^ok +credentials /m);
    expect({ error, status }).toEqual({ error: "", status: 0 });
  });

  it.each<[string, Record<string, string | undefined>, RegExp]>([
    [
      "engine",
      { podman: undefined },
      /^missing +engine +neither podman nor docker\n +needed for: running functions.*\n +apt-get install podman/m,
    ],
    ["npm", { npm: undefined }, /^missing +npm +not on PATH\n +needed for: .*nodejs\.org/m],
    [
      "pip",
      { python3: "echo No module named pip >&2; exit 1" },
      /^missing +pip +.*python3 -m pip: status 1: No module named pip\n +needed for: Python programs/m,
    ],
    [
      "conda",
      { micromamba: undefined },
      /^missing +conda +none of micromamba, mamba, conda is on PATH\n +needed for: jobs with CondaEnv/m,
    ],
  ])("says what %s is needed for where it is missing, which is fine", async (_, change, finding) => {
    const { status, out } = await doctor({ ...all, ...podman, ...change });
    expect(out).toMatch(finding);
    expect(status).toBe(0);
  });

  it("tells a broken part from a missing one, by what it printed", async () => {
    const { engine, npm } = await findings({
      ...all,
      npm: "echo no >&2; exit 3",
      podman: "echo 'database is locked' >&2; exit 125",
    });
    expect(engine).toMatchObject({ state: "broken", required: false });
    expect(engine?.detail).toMatch(/podman info: status 125: database is locked$/);
    expect(npm).toMatchObject({ state: "broken", required: false });
  });

  it("takes the Bazel that started it", async () => {
    const started = await findings({}, { BUILD_WORKSPACE_DIRECTORY: "/w" });
    expect(started["Bazel"]).toMatchObject({ state: "ok", detail: "runs this command" });
    expect((await findings({}))["Bazel"]).toMatchObject({ state: "missing" });
  });

  it("reports every mistake of the configuration file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "doctor-"));
    const env = { SLIPWAY_CONFIG: join(folder, "config.yaml") };
    writeFileSync(env.SLIPWAY_CONFIG, "registries: {r.io: {ca: ca.pem}}\n");
    expect((await findings(all, env))["configuration"]).toMatchObject({ state: "ok", detail: env.SLIPWAY_CONFIG });
    writeFileSync(env.SLIPWAY_CONFIG, "registrys: {}\nservices: {model: {}}\n");
    const wrong = (await findings(all, env))["configuration"];
    expect(wrong).toMatchObject({ state: "broken", remedy: "Correct these 2 mistakes." });
    expect(wrong?.detail).toMatch(/config\.yaml:1:1: .*mean registries\?[\s\S]*config\.yaml:2:12: .*mean models\?/);
    writeFileSync(env.SLIPWAY_CONFIG, "registries: [");
    expect((await findings(all, env))["configuration"]).toMatchObject({ state: "broken" });
    const none = (await findings(all))["configuration"];
    expect(none).toMatchObject({ state: "ok", detail: expect.stringMatching(/^none; /) });
  });

  it("names a registry that does not answer, and one that is no registry", async () => {
    const { registry } = await findings(all, { SLIPWAY_REGISTRY: "127.0.0.1:9" });
    expect(registry).toMatchObject({ state: "broken" });
    expect(registry?.detail).toContain("127.0.0.1:9 does not answer");
    const none = await findings(all, { SLIPWAY_REGISTRY: "no registry" });
    expect(none["registry"]).toMatchObject({ state: "broken" });
  });

  it("uses the credentials of the registry and those that were added", async () => {
    const server = createServer(({ headers }, response) => {
      const isRight = headers.authorization === `Basic ${Buffer.from("ci:right").toString("base64")}`;
      response.writeHead(isRight ? 200 : 401, { "www-authenticate": 'Basic realm="r"' }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const folder = mkdtempSync(join(tmpdir(), "doctor-"));
    mkdirSync(join(folder, "slipway"));
    const examined = async (password: string) => {
      const entry = { service: "docker", url: host, source: { kind: "stored", username: "ci", password } };
      const store = join(folder, "slipway/credentials.json");
      writeFileSync(store, JSON.stringify({ version: 1, credentials: [entry] }), { mode: 0o600 });
      const env = { SLIPWAY_REGISTRY: host, XDG_CONFIG_HOME: folder };
      const { out, status } = await doctor(all, env, "--json");
      const found = (JSON.parse(out) as Finding[]).filter(({ part }) => /registry|credentials/.test(part));
      expect(out).not.toContain(password);
      return { states: found.map(({ part, state }) => `${part} ${state}`), status };
    };
    expect(await examined("right")).toEqual({ states: ["registry ok", "credentials ok", "credentials ok"], status: 0 });
    expect(await examined("wrong-one")).toEqual({
      states: ["registry ok", "credentials broken", "credentials broken"],
      status: 1,
    });
  });

  it.each<[string, string, RegExp]>([
    ["SLIPWAY_ENGINE", "docker", /SLIPWAY_ENGINE=docker/],
    ["SLIPWAY_REGISTY", "r.io", /Write SLIPWAY_REGISTRY/],
  ])("names the variable %s=%s", async (name, value, words) => {
    const { status, out } = await doctor({ ...all, ...podman }, { [name]: value });
    expect({ status, found: /^broken +variables[\s\S]*?(?=\n\S)/m.exec(out)?.[0] }).toEqual({
      status: 1,
      found: expect.stringMatching(words),
    });
  });

  it("names a KUBECONFIG that does not exist", async () => {
    const { cluster } = await findings(all, { KUBECONFIG: "/nonexistent/config" });
    expect(cluster).toMatchObject({ state: "broken", detail: expect.stringContaining("/nonexistent/config") });
  });

  it.each<[string, string, string, RegExp]>([
    ["starts nothing", "", "OCI runtime error: crun: unknown version specified", /runc/],
    [
      "has no iptables",
      "--network=bridge",
      "netavark: iptables: No such file or directory",
      /apt-get install .*iptables/,
    ],
    ["stores no image", "import", "write /var/lib: no space left on device", /podman info/],
  ])("names an engine that %s", async (_, word, words, remedy) => {
    const broken = `case " $* " in *" run "*"${word} "*|" ${word} "*) echo "Error: ${words}" >&2; exit 126;; esac`;
    const engines = { podman: `${broken}\necho 5.0.0 crun true overlay`, newuidmap: "", newgidmap: "" };
    const { engine } = await findings({ ...all, ...engines });
    expect(engine).toMatchObject({ state: "broken", remedy: expect.stringMatching(remedy) });
    expect(engine?.detail).toContain(words);
  });
});

describe("ask", () => {
  it("does not wait for ever", async () => {
    expect(await ask("/bin/sh", ["-c", "exec sleep 100"], 20)).toEqual({ problem: "did not end within 0.02 s" });
  });
});
