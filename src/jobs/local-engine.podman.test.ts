import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installedClient, makeImage } from "../containers/testdata/image.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { Digest } from "../oci/digest.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { containerName, findJobFolder, readRecord } from "./job-folder.ts";
import { makeProgram } from "./program.ts";
import type { ResolvedDeployment } from "./schema.ts";
import { engine, firstWords, home, plain, root, textOf } from "./testdata/jobs.ts";

const podman = installedClient();
const run = (...args: string[]) =>
  execFileSync(podman.path, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** A folder whose name is more than one word to whoever reads lists. */
const code = 'code, "mine"';

describe("a job in a container", () => {
  let made: ReturnType<typeof makeImage>;
  let bare: string;
  let image: string;
  let interpreter: ResolvedDeployment["interpreter"];

  beforeAll(() => {
    made = makeImage(podman);
    // The image of an interpreter has no entry point: `docker run IMAGE node ARGS` works.
    const repository = `${made.image.replace(/:latest$/, "")}-interpreter`;
    bare = `${repository}:latest`;
    const container = run("create", made.image);
    run("commit", "--quiet", "--change", "ENTRYPOINT []", container, bare);
    run("rm", container);
    const digest = run("image", "inspect", "--format", "{{.Digest}}", bare) as Digest;
    image = `${repository}@${digest}`;
    interpreter = { ContainerAtDigest: { repository, digest } };
    // The container's user is another one, who must be able to read the code.
    mkdirSync(join(home, code), { mode: 0o755 });
    writeFileSync(join(home, code, "double.ts"), "export default (x: number) => x * 2;\n");
  });
  afterAll(() => {
    run("rmi", "--force", bare);
    made.remove();
  });

  const mountsOfCode = () => [{ source: join(home, code), target: "/slipway/code/0" }];
  const submit = (part: Partial<ResolvedDeployment>) => {
    const placed = { image, folders: ["/slipway/code/0"], mounts: mountsOfCode() };
    return engine.submit(makeProgram("box", { ...plain, interpreter, ...part }, placed, process.env));
  };
  const containers = () => run("ps", "--all", "--format", "{{.Names}}").split("\n");

  it("gives the result of a function in its code", async () => {
    const id = await submit({ function: "double.ts", arguments: [21] });
    expect(await engine.collect(id)).toMatchObject({ status: { state: "succeeded" }, reply: { result: 42 } });
  });

  it("has the value of a secret, which no command line and no file of the job has", async () => {
    await new LocalSecrets({ XDG_STATE_HOME: home }).set("db-password", Buffer.from("hunter2 of a job"));
    const waits = "console.log(process.env.PASSWORD.length); await new Promise((end) => setTimeout(end, 600_000));";
    writeFileSync(join(home, code, "waits.ts"), `export default async () => { ${waits} };\n`);
    const id = await submit({ function: "waits.ts", environment: { PASSWORD: "SECRET:db-password" } });
    expect(await firstWords(id)).toBe("16\n");
    const processes = execFileSync("ps", ["-eo", "args", "-ww"], { encoding: "utf8" });
    expect(processes).toContain("--env=PASSWORD");
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
    expect(processes + texts.join("\n")).not.toContain("hunter2 of a job");
    await engine.cancel(id);
  });

  it("gives the result of a function in an image with an entrypoint, which does not run", async () => {
    const placed = { image: made.image, folders: ["/slipway/code/0"], mounts: mountsOfCode() };
    const double = { ...plain, interpreter, function: "double.ts", arguments: [4] };
    const id = await engine.submit(makeProgram("box", double, placed, process.env));
    expect(await engine.collect(id)).toMatchObject({ status: { attempts: 1 }, reply: { result: 8 } });
  });

  it("whose program is not in the image has failed once, and says why", async () => {
    const id = await submit({ function: "double:main", retries: 2 });
    const reason = expect.stringMatching(/python3[\s\S]*Check its command/);
    expect((await engine.collect(id)).status).toMatchObject({ state: "failed", attempts: 1, reason });
  });

  it("sees its volumes, and may change those that are writable", async () => {
    const data = join(home, "data");
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, "given"), "from here");
    chmodSync(data, 0o777);
    const name = `slipway-test-${process.pid}`;
    const volumes = {
      "/in": { folder: data },
      "/out": { folder: data, writable: true },
      "/kept": { claim: name, writable: true },
    };
    run("volume", "create", `${name}-more`);
    const refused = submit({ command: ["node", "-e", ""], volumes });
    await expect(refused).rejects.toThrow(userErrorWith("volume-unusable", "/kept"));
    run("volume", "rm", "--force", `${name}-more`);
    run("volume", "create", name);
    try {
      const script = `const read = fs.readFileSync("/in/given", "utf8"); fs.writeFileSync("/out/made", "by the job"); fs.statSync("/kept");
        try { fs.writeFileSync("/in/x", "") } catch (error) { console.log(read, error.code) }`;
      const id = await submit({ command: ["node", "-e", script], volumes });
      const { stdout } = await textOf(engine.logs(id, { follow: true }));
      expect(stdout).toBe("from here EROFS\n");
      expect(readFileSync(join(data, "made"), "utf8")).toBe("by the job");
    } finally {
      run("volume", "rm", "--force", name);
    }
  });

  it("that is killed names the limit that it had", async () => {
    const id = await submit({ command: ["node", "-e", "process.exit(137)"], resources: { memory: 2 ** 28 } });
    const reason = expect.stringMatching(/268435456 bytes of memory\. Give it more \(resources: memory\)/);
    expect((await engine.collect(id)).status).toMatchObject({ state: "failed", reason });
  });

  it("may not change its code, is not root, and has the variables that were declared", async () => {
    const script = `try { fs.writeFileSync("x", "") } catch (error) { console.log(error.code, process.getuid(), process.cwd(), process.env.GREETING, process.env.SHELL) }`;
    const id = await submit({ command: ["node", "-e", script], environment: { GREETING: "hi" } });
    const { stdout } = await textOf(engine.logs(id, { follow: true }));
    expect(stdout).toBe("EROFS 1000 /slipway/code/0 hi undefined\n");
  });

  it("that is cancelled, or whose supervisor is killed, leaves no container", async () => {
    const forever = { command: ["node", "-e", "console.log(1); setInterval(() => {}, 1e6)"] };
    const cancelled = await submit(forever);
    await firstWords(cancelled);
    expect(containers()).toContain(containerName(cancelled));
    await engine.cancel(cancelled);
    const lost = await submit(forever);
    await firstWords(lost);
    const { pid = 0 } = await readRecord(findJobFolder(root, lost));
    process.kill(pid, "SIGKILL");
    expect((await engine.collect(lost)).status.state).toBe("failed");
    for (const id of [cancelled, lost]) expect(containers()).not.toContain(containerName(id));
  });

  it("of an image that is not there has failed, and says why", async () => {
    image = `localhost:1/none@sha256:${"0".repeat(64)}`;
    const id = await submit({ command: ["x"] });
    const reason = expect.stringContaining("localhost:1/none");
    expect((await engine.collect(id)).status).toMatchObject({ state: "failed", reason });
  });
});
