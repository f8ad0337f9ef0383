import { expect, it, vi } from "vitest";
import { userErrorWith } from "../../src/core/testdata/reported.ts";
import { shellImage } from "./testdata/image.ts";
import { kubectl } from "./testdata/kubectl.ts";
import { inPasswordRegistry } from "./testdata/registries.ts";
import { ShellUser, submitted, textOf } from "./testdata/shell.ts";

/** Gives a namespace a quota with no room for some kind of object. */
async function limit({ namespace }: ShellUser, name: string, what: string): Promise<void> {
  const metadata = { name, namespace: namespace.name };
  const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata, spec: { hard: { [what]: "0" } } };
  await kubectl(["apply", "--filename=-"], JSON.stringify(quota));
  const isKnown = async () => (await namespace.ask("get", "resourcequota", name))["status"]?.hard?.[what] === "0";
  await vi.waitUntil(isKnown);
}

const login = { username: "robot", password: "not given to anyone" };

it("names an image that the registry does not have", async () => {
  const user = await ShellUser.make();
  const engine = user.engine();
  const image = user.image.replace(/@.*/, `@sha256:${"0".repeat(64)}`);
  const id = await engine.submit(user.program("true", { image }));
  expect((await engine.collect(id)).status).toMatchObject({
    state: "failed",
    reason: expect.stringMatching(
      /^Registry localhost:\d+ has no image localhost:\d+\/test\/shell@sha256:0+: .*Push it/,
    ),
  });
  // What cannot begin is not left to try for ever.
  await user.namespace.empty();
});

it("names a registry that wants a credential, and how to give one", async () => {
  const user = await ShellUser.make();
  const engine = user.engine();
  const image = await inPasswordRegistry(shellImage(), login);
  const id = await engine.submit(user.program("true", { image }));
  const { status } = await engine.collect(id);
  expect(status).toMatchObject({ state: "failed", reason: expect.stringMatching(/--copy-credentials/) });
  expect(status.reason).toContain(image.split("/")[0]);
  await user.namespace.empty();
});

it("names the limit of a job that took more memory", async () => {
  const script = 'a=x; while :; do a="$a$a"; done';
  const { engine, id } = await submitted(script, { resources: { memory: 16 * 1024 * 1024 } });
  expect((await engine.collect(id)).status).toMatchObject({
    state: "failed",
    exitStatus: 137,
    reason: expect.stringMatching(/16777216 bytes of memory/),
  });
});

it("names the time limit of a job that took longer", async () => {
  const { engine, id } = await submitted("echo begun; while :; do sleep 0.1; done", { timeLimit: 2 });
  const text = textOf(engine, id);
  expect((await engine.collect(id)).status).toMatchObject({
    state: "failed",
    reason: "It took longer than its time limit of 2 s. Give it more time (time_limit), or less to do.",
  });
  expect(await text).toBe("begun\n");
});

it("tells why no node takes a job while it waits, and ends it when asked", async () => {
  const { user, engine, id } = await submitted("true", { resources: { cpu: 4000 } });
  const collected = engine.collect(id);
  await vi.waitUntil(() => user.notices.length > 0, { timeout: 30_000 });
  expect(user.notices[0]).toMatch(/^No node takes it: .*Insufficient cpu/);
  expect(await engine.status(id)).toMatchObject({ state: "queued", reason: expect.stringMatching(/Insufficient cpu/) });
  await engine.cancel(id);
  expect((await collected).status.state).toBe("cancelled");
  await user.namespace.empty();
});

it("names the quota that a job waits for, and begins when there is room", async () => {
  const user = await ShellUser.make();
  await limit(user, "small", "pods");
  const engine = user.engine();
  const id = await engine.submit(user.program("echo ran"));
  const collected = engine.collect(id);
  await vi.waitUntil(() => user.notices.length > 0, { timeout: 30_000 });
  expect(user.notices[0]).toMatch(/^The namespace's quota has no room for it: exceeded quota: small/);
  expect(await engine.status(id)).toMatchObject({
    state: "queued",
    reason: expect.stringMatching(/exceeded quota: small/),
  });
  await user.namespace.kubectl("delete", "resourcequota", "small");
  expect((await collected).status.state).toBe("succeeded");
});

it("names the quota that refuses the job itself, and leaves nothing", async () => {
  const user = await ShellUser.make();
  await limit(user, "none", "count/jobs.batch");
  await expect(user.engine().submit(user.program("true"))).rejects.toThrow(userErrorWith("cluster-refused", "test"));
  await user.namespace.empty();
});

it("names the variable that no Secret can hold, before anything is made", async () => {
  const user = await ShellUser.make();
  await expect(user.engine().submit(user.program("true", { env: { "A B": "x" } }))).rejects.toThrow(
    userErrorWith("variable-invalid", "A B"),
  );
  await user.namespace.empty();
});

it("refuses a registry that the cluster cannot reach, before anything is made", async () => {
  const user = await ShellUser.make();
  const env = { ...user.namespace.env, XDG_CONFIG_HOME: `${user.namespace.home}/none` };
  const program = user.program("true");
  await expect(user.engine(env).submit(program)).rejects.toThrow(userErrorWith("image-pull-failed", program.image));
  await user.namespace.empty();
});
