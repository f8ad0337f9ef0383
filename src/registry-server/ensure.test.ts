import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { askServer, askStatus } from "./client.ts";
import { ensureEmbeddedRegistry, findEmbeddedRegistry, requestToken } from "./ensure.ts";
import { makeRegistryFolders } from "./paths.ts";
import { protocolVersion } from "./protocol.ts";
import { bundleOf } from "./testdata/bundle.ts";
import { askOver, stateOfTest } from "./testdata/fixture.ts";
import { serverProcess } from "./testdata/process.ts";

let serverBundle: string;
/** Stands for Node where it does not matter what is copied: it is a hundred times smaller. */
let node: string;
beforeAll(async () => {
  serverBundle = await bundleOf();
  node = join(dirname(serverBundle), "node");
  await writeFile(node, `#!/bin/sh\nexec ${JSON.stringify(process.execPath)} "$@"\n`, { mode: 0o755 });
});

/** A state folder whose server, whichever it is in the end, is killed when the test ends. */
async function state() {
  const { env, paths } = await stateOfTest();
  const pid = async (): Promise<number> => (await askStatus(paths.socket))?.pid ?? 0;
  const kill = async (): Promise<void> => {
    const server = await pid();
    if (server === 0) return;
    process.kill(server, "SIGKILL");
    // The kernel closes the socket when the process is gone.
    while ((await askStatus(paths.socket).catch(() => true)) !== undefined);
  };
  onTestFinished(kill);
  const notices: string[] = [];
  const ensure = (bundle = serverBundle) =>
    ensureEmbeddedRegistry({ serverBundle: bundle, node, env, notice: (notice) => notices.push(notice) });
  return { env, paths, pid, kill, notices, ensure };
}

/** Listens on a port as soon as its dead owner's descriptors are closed, until the test ends. */
async function takePort(port: number): Promise<void> {
  for (;;) {
    const thief = createServer();
    const result = new Promise<boolean>((resolve) => {
      thief.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true));
    });
    if (await result) {
      onTestFinished(() => void thief.close());
      return;
    }
  }
}

describe("ensureEmbeddedRegistry", () => {
  it("starts a server once, which engines reach with a token", async () => {
    const { env, paths, pid, ensure } = await state();
    expect(await findEmbeddedRegistry({ env })).toBeUndefined();
    const first = await ensure();
    const server = await pid();
    expect(await ensure()).toEqual(first);
    expect(await findEmbeddedRegistry({ env })).toEqual(first);
    expect(await pid()).toBe(server);
    const { token } = await requestToken(first.socketPath, { repository: "a", actions: ["push"] });
    const port = Number(first.host.split(":")[1]);
    const answer = await askOver({ port }, { host: first.host, authorization: `Bearer ${token}` })("GET", "/v2/");
    expect(answer.status).toBe(200);
    expect((await readFile(paths.log, "utf8")).trim()).toBe("");
  });

  it("has one server when several start at once", async () => {
    const { pid, ensure } = await state();
    const found = await Promise.all([ensure(), ensure(), ensure(), ensure()]);
    expect(new Set(found.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(await pid()).toBeGreaterThan(0);
  });

  it("hears a server that says at once that it is ready", async () => {
    const { env } = await state();
    const ready = join(dirname(serverBundle), "ready");
    await writeFile(ready, `#!/bin/sh\necho '{"ready":{"host":"localhost:1"}}' >&3\n`, { mode: 0o755 });
    for (let round = 0; round < 20; round++) {
      const { host } = await ensureEmbeddedRegistry({ serverBundle, node: ready, env });
      expect(host).toBe("localhost:1");
    }
  });

  it("starts another where one was killed and left its socket", async () => {
    const { env, pid, kill, ensure } = await state();
    const first = await ensure();
    const killed = await pid();
    await kill();
    expect(await findEmbeddedRegistry({ env })).toBeUndefined();
    expect(await ensure()).toEqual(first);
    expect(await pid()).not.toBe(killed);
  });

  it("says when its port was taken, and gives no token before it has another", async () => {
    const { paths, kill, notices, ensure } = await state();
    const first = await ensure();
    await kill();
    await takePort(Number(first.host.split(":")[1]));
    await expect(requestToken(paths.socket, { repository: "a", actions: ["pull"] })).rejects.toThrow(
      userErrorWith("embedded-registry", paths.socket),
    );
    const second = await ensure();
    expect(second.host).not.toBe(first.host);
    expect(notices).toEqual([expect.stringContaining(`is at ${second.host} from now on`)]);
  });

  it("replaces a server of another version, which is asked to stop", async () => {
    const { env, paths, ensure } = await state();
    await makeRegistryFolders(paths);
    const asked: string[] = [];
    const old = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const answer = request.method === "GET" ? { protocol: protocolVersion - 1, host: "localhost:1", pid: 1 } : {};
      response.end(JSON.stringify(answer));
      if (request.method === "POST") old.close();
    });
    await once(old.listen(paths.socket), "listening");
    expect(await findEmbeddedRegistry({ env })).toBeUndefined();
    const { host } = await ensure();
    expect(host).not.toBe("localhost:1");
    expect(asked).toContain("POST /slipway/stop");
    expect((await askStatus(paths.socket))?.protocol).toBe(protocolVersion);
  });

  it("takes the place of a server that is just stopping", async () => {
    const { paths, pid, ensure } = await state();
    await ensure();
    const first = await pid();
    await askServer(paths.socket, "POST", "stop");
    await ensure();
    expect(await pid()).not.toBe(first);
  });

  it("tells why a server did not start", async () => {
    const { ensure, paths } = await state();
    const broken = join(paths.folder, "..", "broken.mjs");
    await makeRegistryFolders(paths);
    await writeFile(broken, 'console.error("no such luck"); process.exit(3);');
    const started = ensure(broken);
    await expect(started).rejects.toThrow(failureWith("embedded-registry", paths.log));
    await expect(started).rejects.toThrow(/did not start: no such luck\.\nRead .*server\.log/);
    await writeFile(join(paths.data, "blobs"), "in the way");
    await expect(ensure()).rejects.toThrow(userErrorWith("file-unwritable", join(paths.data, "blobs")));
    await expect(ensure("/nowhere/registry.mjs")).rejects.toThrow(failureWith("file-unwritable", paths.programs));
  });

  it("passes on the code, culprit and exit status with which a server fails", async () => {
    const { env, ensure, paths } = await state();
    await makeRegistryFolders(paths);
    await chmod(paths.folder, 0o750);
    const failed = { code: "folder-unsafe", culprit: paths.folder, name: "UserError" };
    await expect(serverProcess(env)).rejects.toMatchObject(failed);

    await chmod(paths.folder, 0o700);
    const broken = join(paths.folder, "..", "broken.mjs");
    const handshake = JSON.stringify({ failed: { ...failed, message: "P.\nR.", details: "" } });
    await writeFile(broken, `import { writeSync } from "node:fs"; writeSync(3, ${JSON.stringify(`${handshake}\n`)});`);
    await expect(ensure(broken)).rejects.toMatchObject({ ...failed, exitStatus: 2, message: "P.\nR." });
  });

  it("runs a copy, in its own session, with nothing of whoever started it", { timeout: 20_000 }, async () => {
    const { env, paths, pid } = await state();
    const script = `
      const { ensureEmbeddedRegistry } = await import(${JSON.stringify(join(import.meta.dirname, "ensure.ts"))});
      console.log(JSON.stringify(await ensureEmbeddedRegistry({ serverBundle: ${JSON.stringify(serverBundle)} })));`;
    // What the shell waits for is the end of everything that holds its pipe, under whatever number.
    const command = 'out=$("$0" --input-type=module -e "$1" 5>&1 30>&1 200>&1); echo "returned $out"';
    const shell = spawn("/bin/bash", ["-c", command, process.execPath, script], {
      env: { ...env, SECRET: "geheim" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const out = await text(shell.stdout);
    expect(out).toMatch(/^returned \{"socketPath":/);

    const server = await pid();
    const proc = (name: string): Promise<string> => readFile(`/proc/${server}/${name}`, "utf8");
    if (process.platform === "linux") {
      const environment = (await proc("environ")).split("\0").map((entry) => entry.split("=")[0]);
      expect(environment.filter((name) => !["HOME", "XDG_STATE_HOME", "PWD", ""].includes(name ?? ""))).toEqual([]);
      const [program, , bundle] = (await proc("cmdline")).split("\0");
      for (const file of [program, bundle]) expect(file?.startsWith(`${paths.programs}/`)).toBe(true);
      const [, parent, , session] = (await proc("stat")).replace(/^.*\) /, "").split(" ");
      const ours = (await readFile("/proc/self/stat", "utf8")).replace(/^.*\) /, "").split(" ");
      expect(Number(parent)).not.toBe(process.pid);
      expect(session).not.toBe(ours[3]);
    }
    expect((await readdir(paths.programs)).length).toBe(2);
  });
});
