import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { embeddedLogin } from "../../src/containers/login.ts";
import { editProbe, readSeen, writeProbe } from "./probe.ts";
import { Registry } from "./registry.ts";
import { Workspace } from "./workspace.ts";

const workspace = new Workspace("root");
const nobody = 65534;

beforeAll(() => writeProbe(workspace));

/** Another user's program on a port, until the test ends; and all that it heard. */
async function squat(port: string, manner: string, addresses: readonly string[]): Promise<object[]> {
  const args = [join(import.meta.dirname, "squatter.ts"), String(nobody), port, manner, ...addresses];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  expect(JSON.parse(String(await once(lines, "line")))).toEqual({ uid: nobody });
  const heard: object[] = [];
  lines.on("line", (line) => heard.push(JSON.parse(line)));
  return heard;
}

/** A state whose registry ran and is gone. */
async function stateThatHadARegistry() {
  const folder = mkdtempSync(join(tmpdir(), "slipway-squatted-"));
  const registry = new Registry({ state: folder });
  onTestFinished(async () => {
    await registry.stop();
    rmSync(folder, { recursive: true });
  });
  const env = { XDG_STATE_HOME: folder };
  await workspace.stdout(["run", "//probe:probe_push"], { env });
  const { host } = await registry.status();
  const token = await registry.token("probe");
  await registry.stop();
  return { env, registry, host, token };
}

describe("the port that the embedded registry had last, taken by another user's program", () => {
  it.each([
    ["that says nothing", "nothing", ["127.0.0.1", "::1"]],
    ["that answers like our registry", "registry", ["127.0.0.1", "::1"]],
    ["that answers like our registry, by IPv4 alone", "registry", ["127.0.0.1"]],
    ["that answers like our registry, by IPv6 alone", "registry", ["::1"]],
  ])("%s, is given up, and that program gets nothing", async (manner, kind, addresses) => {
    const { env, registry, host, token } = await stateThatHadARegistry();
    const [, port = ""] = host.split(":");
    const heard = await squat(port, kind, addresses);
    // Something to send.
    editProbe(workspace, manner);
    const { status, stdout, stderr } = await workspace.bazel(["run", "//probe"], { env });
    expect(status, stderr).toBe(0);
    const now = (await registry.status()).host;
    expect(now).not.toBe(host);
    expect(stderr).toContain(
      `slipway: Port ${port} is taken by another program: the embedded registry is at ${now} from now on.\n`,
    );
    const uris = readSeen(stdout).environment["SLIPWAY_CONTAINER_IMAGE_URIS"] ?? "";
    expect(uris).toContain(`default##${now}/probe@sha256:`);
    expect(uris).not.toContain(host);
    await registry.verifyNamed("probe", uris);

    for (const words of [
      ["registry", "token", "probe"],
      ["registry", "ls"],
      ["image", "inspect", /default##([^:]+:\d+\/probe@sha256:\w+)/.exec(uris)?.[1] ?? ""],
    ]) {
      const ended = await workspace.bazel(["run", "//:slipway", "--", ...words], { env });
      expect(ended.status, ended.stderr).toBe(0);
    }
    // A program that was started before the port was lost still has the name of old.
    const login = async (registryHost: string) => {
      process.env["XDG_STATE_HOME"] = env.XDG_STATE_HOME;
      return embeddedLogin(`${registryHost}/probe:probe_default`);
    };
    expect(await login(host)).toBeUndefined();
    expect(await login(now)).toMatchObject({ username: "token" });
    expect(heard).toEqual([]);

    // It can be heard, so that silence means something; and what it could have kept of the registry before is worth
    // nothing now.
    const authorization = `Bearer ${token}`;
    const ask = (origin: string, path: string) => fetch(`http://${origin}${path}`, { headers: { authorization } });
    await ask(`${addresses.includes("::1") ? "[::1]" : "127.0.0.1"}:${port}`, "/v2/");
    expect(heard).toContainEqual(expect.objectContaining({ method: "GET", url: "/v2/" }));
    expect((await ask(now, "/v2/probe/manifests/probe_default")).status).toBe(401);
  });

  it("is not asked by a tool to which somebody names the registry by it, and gets no image", async () => {
    const { env, registry, host } = await stateThatHadARegistry();
    const [, port = ""] = host.split(":");
    const heard = await squat(port, "registry", ["127.0.0.1", "::1"]);
    const slipway = (...words: string[]) => workspace.bazel(["run", "//:slipway", "--", "image", ...words], { env });
    const image = `${host}/probe:probe_default`;
    const copied = await slipway("copy", image, `${host}/other:copy`);
    const now = (await registry.status()).host;
    expect(now).not.toBe(host);
    expect(copied.stderr).toContain(`slipway: Port ${port} is taken by another program:`);
    expect(copied.stderr).toMatch(new RegExp(`^${host} .*\\n.*${now}.* \\[embedded-registry\\]$`, "m"));
    expect(copied.status).toBe(2);
    expect(heard).toEqual([]);
    expect((await slipway("inspect", `${now}/probe:probe_default`)).status).toBe(0);
  });
});
