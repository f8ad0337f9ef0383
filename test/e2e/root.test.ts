import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCargo, writeHeavy } from "./heavy.ts";
import { readSeen } from "./probe.ts";
import { Registry } from "./registry.ts";
import { command, Workspace } from "./workspace.ts";

const workspace = new Workspace("root");

const megabyte = 1024 * 1024;

beforeAll(() => {
  writeHeavy(workspace);
  loadCargo(workspace, megabyte);
});

describe("a full disk in the registry", () => {
  const registry = new Registry(workspace);

  beforeAll(() => {
    mkdirSync(registry.paths.data, { recursive: true, mode: 0o700 });
    for (const folder of [workspace.state, join(workspace.state, "slipway"), registry.paths.folder])
      chmodSync(folder, 0o700);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=128m,mode=700", "tmpfs", registry.paths.data]);
  });
  afterAll(async () => {
    await registry.stop();
    execFileSync("umount", ["--lazy", registry.paths.data]);
  });

  it("ends the run with status 2 and the name of the disk, and what was there before is served as before", async () => {
    await workspace.stdout(["run", "//heavy:heavy_push"]);
    const before = await registry.tag("heavy", "heavy_default");
    expect(before).toMatch(/^sha256:/);

    loadCargo(workspace, 200 * megabyte);
    const { status, stdout, stderr } = await workspace.bazel(["run", "//heavy"]);
    expect(stderr).toMatch(/^slipway: .*\n.* \[registry-full\]$/m);
    expect(stderr).toContain(registry.paths.data);
    expect([status, stdout]).toEqual([2, ""]);
    expect(readdirSync(join(registry.paths.data, "temporary"))).toEqual([]);
    expect(readdirSync(join(registry.paths.data, "repositories/heavy/_uploads"))).toEqual([]);
    expect(await registry.tag("heavy", "heavy_default")).toBe(before);
    await registry.verify("heavy", "heavy_default");

    loadCargo(workspace, 2 * megabyte);
    const { environment } = readSeen(await workspace.stdout(["run", "//heavy"]));
    await registry.verifyNamed("heavy", environment["SLIPWAY_CONTAINER_IMAGE_URIS"] ?? "");
  });
});

describe("another user of this machine", () => {
  // In a folder that everybody may enter: what keeps them out is to be the registry's own doing.
  const shared = mkdtempSync(join(tmpdir(), "slipway-shared-"));
  const env = { XDG_STATE_HOME: join(shared, "state") };
  const registry = new Registry({ state: env.XDG_STATE_HOME });
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

  beforeAll(async () => {
    chmodSync(shared, 0o755);
    await workspace.stdout(["run", "//probe:probe_push"], { env });
  });
  afterAll(async () => {
    await registry.stop();
    rmSync(shared, { recursive: true });
  });

  it("can neither read nor write the registry's files, nor reach its socket", async () => {
    const { folder, requests, socket, data } = registry.paths;
    expect((await command([...nobody, "ls", shared], { PATH: "/usr/bin:/bin" })).status).toBe(0);
    for (const attempt of [
      ["ls", folder],
      ["cat", requests],
      ["stat", socket],
      ["touch", join(data, "mine")],
      ["ls", data],
    ]) {
      const { status, stdout, stderr } = await command([...nobody, ...attempt], { PATH: "/usr/bin:/bin", LC_ALL: "C" });
      expect(status, attempt.join(" ")).not.toBe(0);
      expect([stdout, stderr]).toEqual(["", expect.stringContaining("Permission denied")]);
    }
  });

  it("gets nothing over TCP without a token, and nothing but its repository with one", async () => {
    const { host } = await registry.status();
    const token = await registry.token("probe");
    const bearer = { authorization: `Bearer ${token}` };
    expect(await status(`http://${host}/v2/probe/manifests/probe_default`)).toBe(401);
    expect(await status(`http://${host}/v2/probe/manifests/probe_default`, bearer)).toBe(200);
    expect(await status(`http://${host}/v2/other/manifests/probe_default`, bearer)).not.toBe(200);
    expect(await status(`http://${host}/slipway/status`)).not.toBe(200);
    expect(await status(`http://${host}/slipway/status`, bearer)).not.toBe(200);
  });
});

async function status(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  return response.status;
}
