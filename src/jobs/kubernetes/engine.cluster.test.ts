import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { pushImage, pushShell } from "../../kubernetes/testdata/image.ts";
import { functionRunner } from "../runners.ts";
import { engineOfTest, until } from "./testdata/cluster.ts";
import { run, shell, textOf } from "./testdata/program.ts";

describe("a job on Kubernetes", () => {
  it("runs as nobody in particular, in a file system it cannot change, and is found from elsewhere", async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const script =
      "busybox id -u; echo $GREETING $HOME; touch /x 2>/dev/null || echo fixed; echo >/tmp/x && echo >$HOME/x && echo free; exit 3";
    const resources = { cpu: 0.5, memory: 64 << 20 };
    const program = shell(image, script, { env: { GREETING: "hello $HOME" }, resources });
    const { id, text, status } = await run(cluster.engine(), program);
    expect(text).toBe("1000\nhello $HOME /home/slipway\nfixed\nfree\n");
    expect(status).toMatchObject({ id, state: "failed", exitStatus: 3, attempts: 1 });
    const elsewhere = cluster.engine({}, { XDG_STATE_HOME: cluster.elsewhere });
    await until(async () => (await elsewhere.status(id)).ended, "the end");
    expect(await elsewhere.list()).toEqual([expect.objectContaining({ id, state: "failed", exitStatus: 3 })]);
    expect(await textOf(elsewhere.logs(id, { follow: false }))).toBe(text);
    expect(await elsewhere.isFunction(id)).toBe(false);
    await cluster.engine().remove(id);
    const left = async () => (await cluster.pods()).length + (await cluster.list("secrets")).length;
    await until(async () => (await left()) === 0, "nothing left");
    await expect(cluster.engine().status(id)).rejects.toThrow(userErrorWith("job-not-found", id));
  });

  it("repeats what failed, and has what every attempt printed", async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const { text, status } = await run(cluster.engine(), shell(image, "echo $HOSTNAME; exit 4", { retries: 1 }));
    expect(status).toMatchObject({ state: "failed", exitStatus: 4, attempts: 2 });
    const names = text.trim().split("\n");
    expect(new Set(names).size).toBe(2);
  });

  it("calls functions: their result however large, their exception, what they print", {
    timeout: 180_000,
  }, async () => {
    const cluster = await engineOfTest();
    const module = `export default (size) => { console.log("called", size); if (size < 0) throw new RangeError("negative"); return "x".repeat(size); };\n`;
    const image = await pushImage(
      cluster.registry,
      "test/node",
      { "bin/node": process.execPath },
      { User: "1000:1000", Entrypoint: ["/bin/node"] },
      { "app/repeat.mjs": module },
    );
    const call = async (size: number) => {
      const engine = cluster.engine();
      const argv = functionRunner("node", "repeat.mjs", ["/app"]);
      const program = shell(image, "", { argv, stdin: JSON.stringify([size]), isFunction: true, cwd: "/app" });
      const outcome = await run(engine, program);
      // Whoever did not follow the log gets the same.
      expect(await cluster.engine().collect(outcome.id)).toEqual({
        status: outcome.status,
        ...("reply" in outcome ? { reply: outcome.reply } : {}),
      });
      expect(await engine.isFunction(outcome.id)).toBe(true);
      return outcome;
    };
    for (const size of [3, 300_000]) {
      const { text, reply, status } = await call(size);
      expect(text).toBe(`called ${size}\n`);
      expect(status.state).toBe("succeeded");
      expect(reply).toEqual({ result: "x".repeat(size) });
    }
    const { status, reply } = await call(-1);
    expect(status).toMatchObject({ state: "failed", exitStatus: 1 });
    const error = { name: "RangeError", message: "negative", details: expect.stringContaining("repeat.mjs") };
    expect(reply).toMatchObject({ error });
  });

  it("leaves nothing when it is cancelled, and whoever looks is told", async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const engine = cluster.engine();
    const id = await engine.submit(shell(image, "echo begun; sleep 1000", { env: { SECRET: "hush" } }));
    const [following, elsewhere] = [cluster.engine(), cluster.engine({}, { XDG_STATE_HOME: cluster.elsewhere })];
    const log = following.logs(id, { follow: true });
    expect((await log.next()).value?.data.toString()).toBe("begun\n");
    const rest = textOf(log);
    const outcome = elsewhere.collect(id);
    expect(await engine.status(id)).toMatchObject({ state: "running", attempts: 1 });
    await engine.cancel(id);
    expect(await cluster.pods()).toEqual([]);
    expect(await cluster.jobs()).toEqual([]);
    await until(async () => (await cluster.list("secrets")).length === 0, "no secret");
    expect(await rest).toBe("");
    expect((await outcome).status).toMatchObject({ id, state: "cancelled" });
    expect(await engine.status(id)).toMatchObject({ id, state: "cancelled", ended: expect.any(String) });
    expect(await engine.list()).toEqual([expect.objectContaining({ id, state: "cancelled" })]);
    // It is no error when it has ended.
    await engine.cancel(id);
  });

  it("puts secrets into its Secret alone", async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const id = await cluster.engine().submit(shell(image, "echo $A; sleep 1000", { env: { A: "hush-hush" } }));
    await until(async () => (await cluster.engine().status(id)).state === "running", "a running job");
    const kinds = ["jobs", "pods", "events", "configmaps"] as const;
    const seen = JSON.stringify(await Promise.all(kinds.map((kind) => cluster.list(kind))));
    const secrets = await cluster.list<{ data: Record<string, string>; metadata: { ownerReferences: object[] } }>(
      "secrets",
    );
    const owners = [expect.objectContaining({ kind: "Job" })];
    expect(secrets.map(({ metadata }) => metadata.ownerReferences)).toEqual([owners, owners]);
    const values = secrets.flatMap(({ data }) => Object.values(data)).map((value) => atob(value));
    const { auths } = JSON.parse(values.find((value) => value.includes("auths")) ?? "");
    const token = auths[image.slice(0, image.indexOf("@"))].password;
    for (const secret of ["hush-hush", token]) {
      expect(values.join()).toContain(secret);
      expect(seen).not.toContain(secret);
      expect(seen).not.toContain(Buffer.from(secret).toString("base64"));
    }
    await cluster.engine().cancel(id);
  });
});
