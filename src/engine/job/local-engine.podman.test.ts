import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResolvedDeployment } from "../../deployment/model.ts";
import type { Digest } from "../../oci/digest.ts";
import { installedClient, makeImage } from "../testdata/image.ts";
import { containerName, findJobFolder, jobsFolder, readRecord } from "./job-folder.ts";
import { LocalEngine } from "./local-engine.ts";
import { makeProgram } from "./program.ts";

const podman = installedClient();
const run = (...args: string[]) =>
  execFileSync(podman.path, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** A folder whose name is more than one word to whoever reads lists. */
const code = 'code, "mine"';

describe("a job in a container", () => {
  let home: string;
  let made: ReturnType<typeof makeImage>;
  let plain: string;
  let image: string;
  let interpreter: ResolvedDeployment["interpreter"];
  let engine: LocalEngine;
  const state = () => ({ XDG_STATE_HOME: home });

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "slipway-jobs-"));
    made = makeImage(podman);
    // The image of an interpreter has no entry point: `docker run IMAGE node ARGS` works.
    const repository = `${made.image.replace(/:latest$/, "")}-interpreter`;
    plain = `${repository}:latest`;
    const container = run("create", made.image);
    run("commit", "--quiet", "--change", "ENTRYPOINT []", container, plain);
    run("rm", container);
    const digest = run("image", "inspect", "--format", "{{.Digest}}", plain) as Digest;
    image = `${repository}@${digest}`;
    interpreter = { ContainerAtDigest: { repository, digest } };
    // The container's user is another one, who must be able to read the code.
    mkdirSync(join(home, code), { mode: 0o755 });
    writeFileSync(join(home, code, "double.ts"), "export default (x: number) => x * 2;\n");
    const supervisor = join(import.meta.dirname, "../testdata/supervisor.ts");
    const env = { ...process.env, ...state(), SLIPWAY_ENGINE: "container" };
    engine = new LocalEngine(env, [process.execPath, "--disable-warning=ExperimentalWarning", supervisor]);
  });
  afterAll(() => {
    run("rmi", "--force", plain);
    made.remove();
    rmSync(home, { recursive: true, force: true });
  });

  const submit = (part: Partial<ResolvedDeployment>) =>
    engine.submit(
      makeProgram(
        "box",
        { interpreter, environment: {}, resources: {}, retries: 0, ...part },
        {
          image,
          folders: ["/slipway/code/0"],
          mounts: [{ source: join(home, code), target: "/slipway/code/0" }],
        },
        process.env,
      ),
    );
  const textOf = async (id: string) => {
    let text = "";
    for await (const { data } of engine.logs(id, { follow: true })) text += data.toString();
    return text;
  };
  const firstWords = async (id: string) => {
    for await (const { data } of engine.logs(id, { follow: true })) return data.toString();
    return "";
  };
  const containers = () => run("ps", "--all", "--format", "{{.Names}}").split("\n");

  it("gives the result of a function in its code", async () => {
    const id = await submit({ function: "double.ts", arguments: [21] });
    expect(await engine.collect(id)).toMatchObject({ status: { state: "succeeded" }, reply: { result: 42 } });
  });

  it("may not change its code, is not root, and has the variables that were declared", async () => {
    const script = `try { fs.writeFileSync("x", "") } catch (error) { console.log(error.code, process.getuid(), process.cwd(), process.env.GREETING, process.env.SHELL) }`;
    const id = await submit({ command: ["node", "-e", script], environment: { GREETING: "hi" } });
    expect(await textOf(id)).toBe("EROFS 1000 /slipway/code/0 hi undefined\n");
  });

  it("that is cancelled, or whose supervisor is killed, leaves no container", async () => {
    const forever = { command: ["node", "-e", "console.log(1); setInterval(() => {}, 1e6)"] };
    const cancelled = await submit(forever);
    await firstWords(cancelled);
    expect(containers()).toContain(containerName(cancelled));
    await engine.cancel(cancelled);
    const lost = await submit(forever);
    await firstWords(lost);
    const { pid = 0 } = await readRecord(findJobFolder(jobsFolder(state()), lost));
    process.kill(pid, "SIGKILL");
    expect((await engine.collect(lost)).status.state).toBe("failed");
    for (const id of [cancelled, lost]) expect(containers()).not.toContain(containerName(id));
  });

  it("of an image that is not there has failed, and says why", async () => {
    image = `localhost:1/none@sha256:${"0".repeat(64)}`;
    const id = await submit({ command: ["x"] });
    expect((await engine.collect(id)).status).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("localhost:1/none"),
    });
  });
});
