import { readdirSync, readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { userErrorWith } from "../../src/core/testdata/reported.ts";
import { apiProxy } from "./testdata/api-proxy.ts";
import { kubectl } from "./testdata/kubectl.ts";
import { firstWords, nameOf, ShellUser, submitted, textOf } from "./testdata/shell.ts";

/** Ends the one process of this machine whose command line holds a text. */
async function kill(text: string): Promise<void> {
  const pid = await vi.waitUntil(() => processesWith(text)[0], { timeout: 30_000 });
  process.kill(pid, "SIGKILL");
}

function processesWith(text: string): number[] {
  const pids = readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(text);
    } catch {
      return false;
    }
  });
  return pids.map(Number);
}

const forever = (mark = "") => `echo one; : ${mark}; while :; do sleep 0.1; done`;

it("tells of a container whose process was killed", async () => {
  const mark = `mark-${process.pid}`;
  const { user, engine, id } = await submitted(forever(mark));
  await firstWords(engine, id);
  const collected = engine.collect(id);
  await kill(`: ${mark};`);
  expect((await collected).status).toMatchObject({
    state: "failed",
    exitStatus: 137,
    reason: expect.stringContaining("It was killed"),
  });
  await user.namespace.clear();
});

it("runs a killed container's job again where that has retries", async () => {
  const mark = `again-${process.pid}`;
  const { engine, id } = await submitted(forever(mark), { retries: 1 });
  await firstWords(engine, id);
  await kill(`: ${mark};`);
  await vi.waitUntil(async () => (await engine.status(id)).attempts === 2, { timeout: 40_000 });
  const collected = engine.collect(id);
  await kill(`: ${mark};`);
  expect((await collected).status).toMatchObject({ state: "failed", attempts: 2, exitStatus: 137 });
});

it("tells of a Job that someone deleted, and leaves nothing", async () => {
  const { user, engine, id } = await submitted(forever(), { env: { NAME: "value" } });
  await firstWords(engine, id);
  const collected = engine.collect(id);
  const text = textOf(engine, id);
  await vi.waitUntil(async () => (await engine.status(id)).state === "running");
  await user.namespace.kubectl("delete", "job", nameOf(id));
  expect((await collected).status).toMatchObject({ state: "failed", reason: expect.stringMatching(/deleted/) });
  expect(await text).toBe("one\n");
  await user.namespace.empty();
  expect(await engine.status(id)).toMatchObject({ state: "failed", reason: expect.stringMatching(/Job was deleted/) });
  // Whoever did not submit it can only be told that it is not there.
  const elsewhere = { ...user.namespace.env, XDG_STATE_HOME: `${user.namespace.home}/elsewhere` };
  await expect(user.engine(elsewhere).status(id)).rejects.toThrow(userErrorWith("job-not-found", id));
});

it("tells of a pod that was evicted", async () => {
  const { user, engine, id } = await submitted(forever());
  await firstWords(engine, id);
  const collected = engine.collect(id);
  const [pod] = (await user.namespace.objects()).filter(({ kind }) => kind === "Pod");
  const name = pod?.metadata.name ?? "";
  const { name: namespace } = user.namespace;
  const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } };
  await kubectl(
    ["create", `--raw=/api/v1/namespaces/${namespace}/pods/${name}/eviction`, "--filename=-"],
    JSON.stringify(eviction),
  );
  const evicted = { state: "failed", reason: expect.stringMatching(/^It was evicted from node/) };
  expect((await collected).status).toMatchObject(evicted);
  expect(await engine.status(id)).toMatchObject(evicted);
});

it("gives every line once when the connection breaks while it follows the log", async () => {
  const user = await ShellUser.make();
  const proxy = await apiProxy();
  const engine = user.engine(user.namespace.through(proxy));
  const count = 200;
  const id = await engine.submit(
    user.program(`i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; usleep 20000; done`),
  );
  const collected = engine.collect(id);
  let text = "";
  let cuts = 0;
  for await (const { data } of engine.logs(id, { follow: true })) {
    text += data.toString();
    const last = Number(/line (\d+)\n$/.exec(text)?.[1] ?? 0);
    if (last > (cuts + 1) * 30 && cuts < 5) {
      cuts += 1;
      proxy.cut();
    }
  }
  expect(cuts).toBe(5);
  const lines = Array.from({ length: count }, (_, index) => `line ${index + 1}\n`);
  expect(text).toBe(lines.join(""));
  expect((await collected).status).toMatchObject({ state: "succeeded", attempts: 1 });
  // It asked for the log again each time.
  expect(proxy.seen.filter((seen) => seen.endsWith("/log")).length).toBeGreaterThan(cuts);
});

it("says so while the API server does not answer, and goes on when it does", async () => {
  const user = await ShellUser.make();
  const proxy = await apiProxy();
  const engine = user.engine(user.namespace.through(proxy));
  const id = await engine.submit(user.program("echo one; until [ -e /tmp/enough ]; do sleep 0.1; done; echo two"));
  await firstWords(engine, id);
  const text = textOf(engine, id);
  const collected = engine.collect(id);
  await vi.waitUntil(() => proxy.seen.filter((seen) => seen.endsWith("?watch")).length >= 4, { timeout: 20_000 });
  proxy.treat = () => "lose-answer";
  proxy.cut();
  await user.namespace.kubectl("exec", `job/${nameOf(id)}`, "--", "touch", "/tmp/enough");
  await vi.waitUntil(() => user.notices.length > 0, { timeout: 30_000 });
  proxy.treat = () => "pass";
  expect(user.notices[0]).toMatch(/does not answer.*Trying again; the job goes on\./);
  expect(await text).toBe("one\ntwo\n");
  expect((await collected).status.state).toBe("succeeded");
});
