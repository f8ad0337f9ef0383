import { once } from "node:events";
import { expect, it, vi } from "vitest";
import { type ApiProxy, apiProxy, type Treatment } from "./testdata/api-proxy.ts";
import type { KubernetesObject } from "./testdata/kubectl.ts";
import { firstWords, nameOf, outputOf, ShellUser, submitted, textOf } from "./testdata/shell.ts";

const secrets = { TEST_VARIABLE: "of the job's own" };
/** Milliseconds after which a job that nobody released is removed. */
const later = 11 * 60_000;

/** Requests, without the names that are new every time. */
const general = (seen: string) => seen.replace(/slipway-test-[0-9a-f]+/, "NAMESPACE").replace(/-[0-9a-f]{8}\b/, "-ID");

/** Lets a client do something, and kills it at its request number `index`. */
async function killAt(
  user: ShellUser,
  proxy: ApiProxy,
  [what, argument]: readonly [string, string],
  index: number,
  treatment: Treatment,
): Promise<string> {
  proxy.seen.length = 0;
  proxy.treat = (_, each) => (each === index ? treatment : "pass");
  const held = new Promise<string>((resolve) => {
    proxy.onHeld = resolve;
  });
  const client = user.client(what, argument, user.namespace.through(proxy));
  const closed = once(client, "close");
  const seen = await Promise.race([
    held,
    outputOf(client).then((output) => Promise.reject(new Error(JSON.stringify(output)))),
  ]);
  client.kill("SIGKILL");
  await closed;
  return seen;
}

/** What a client asks of the cluster when nothing comes between. */
async function requestsOf(user: ShellUser, proxy: ApiProxy, what: string, argument: string): Promise<string[]> {
  proxy.treat = () => "pass";
  proxy.seen.length = 0;
  const { status, stderr } = await outputOf(user.client(what, argument, user.namespace.through(proxy)));
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return [...proxy.seen];
}

/** Another client of the user's looks at the jobs, some time later. */
async function lookLater(user: ShellUser): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + later });
  try {
    await user.engine().list();
  } finally {
    vi.useRealTimers();
  }
}

const isSuspended = ({ kind, spec }: KubernetesObject) => kind === "Job" && spec.suspend === true;

it("leaves nothing, or a job that runs, when it is killed at any request of a submission", {
  timeout: 300_000,
}, async () => {
  const user = await ShellUser.make();
  const { namespace } = user;
  const proxy = await apiProxy();
  const program = JSON.stringify(user.program("echo ran; echo $TEST_VARIABLE", { env: secrets }));
  const requests = await requestsOf(user, proxy, "submit", program);
  await namespace.clear();
  // A job, its two secrets, its release; and a look at what earlier clients left.
  expect(requests.map(general).sort()).toEqual([
    "GET /apis/batch/v1/namespaces/NAMESPACE/jobs",
    "PATCH /apis/batch/v1/namespaces/NAMESPACE/jobs/shell-ID",
    "POST /api/v1/namespaces/NAMESPACE/secrets",
    "POST /api/v1/namespaces/NAMESPACE/secrets",
    "POST /apis/batch/v1/namespaces/NAMESPACE/jobs",
  ]);
  for (const index of requests.keys()) {
    for (const treatment of ["stall", "keep-answer"] as const) {
      const seen = await killAt(user, proxy, ["submit", program], index, treatment);
      const where = `${treatment} ${general(seen)}`;
      const objects = await namespace.objects();
      const jobs = objects.filter(({ kind }) => kind === "Job");
      if (where.startsWith("keep-answer PATCH")) {
        // It was released: it runs, with all that it needs, and any client finds it.
        const engine = user.engine();
        const [job, ...others] = await engine.list();
        expect(others, where).toEqual([]);
        const id = job?.id ?? "";
        expect(await textOf(engine, id), where).toBe(`ran\n${secrets.TEST_VARIABLE}\n`);
        expect((await engine.collect(id)).status.state, where).toBe("succeeded");
        await namespace.kubectl("delete", "jobs", "--all");
      } else {
        expect(jobs.length, where).toBeLessThanOrEqual(1);
        expect(jobs.every(isSuspended), where).toBe(true);
        // Nothing runs, and whatever is there goes with the job.
        expect(
          objects.filter(({ kind }) => kind === "Pod"),
          where,
        ).toEqual([]);
        for (const { kind, metadata } of objects) {
          if (kind !== "Job")
            expect(metadata.ownerReferences, where).toMatchObject([{ kind: "Job", uid: jobs[0]?.metadata.uid }]);
        }
        const [status] = await user.engine().list();
        if (jobs.length > 0)
          expect(status, where).toMatchObject({ state: "queued", reason: expect.stringContaining("not released") });
        await lookLater(user);
      }
      await namespace.empty();
    }
  }
});

it("leaves the job alone when it is killed while it follows it", async () => {
  const { user, engine, id } = await submitted("echo one; until [ -e /tmp/enough ]; do sleep 0.1; done; echo two");
  await firstWords(engine, id);
  for (const what of ["logs", "collect"]) {
    const proxy = await apiProxy();
    const client = user.client(what, id, user.namespace.through(proxy));
    const closed = once(client, "close");
    await vi.waitUntil(() => proxy.seen.some((seen) => /log$|\?watch$/.test(seen)), { timeout: 20_000 });
    client.kill("SIGKILL");
    await closed;
  }
  await user.namespace.kubectl("exec", `job/${nameOf(id)}`, "--", "touch", "/tmp/enough");
  expect(await textOf(engine, id)).toBe("one\ntwo\n");
  expect((await engine.collect(id)).status).toMatchObject({ state: "succeeded", attempts: 1 });
});

it("leaves no job half ended when it is killed at any request of a cancellation", { timeout: 300_000 }, async () => {
  const user = await ShellUser.make();
  const { namespace } = user;
  const engine = user.engine();
  const forever = user.program("trap exit TERM; echo one; while :; do sleep 0.1; done");
  const proxy = await apiProxy();
  const start = async () => {
    const id = await engine.submit(forever);
    await firstWords(engine, id);
    return id;
  };
  const requests = await requestsOf(user, proxy, "cancel", await start());
  await namespace.empty();
  const stages = new Set<string>();
  for (const index of requests.keys()) {
    for (const treatment of ["stall", "keep-answer"] as const) {
      // A watch has no answer that could be kept.
      if (treatment === "keep-answer" && requests[index]?.endsWith("?watch")) continue;
      const id = await start();
      const seen = await killAt(user, proxy, ["cancel", id], index, treatment);
      const where = `${treatment} ${general(seen)}`;
      stages.add(where);
      if (where.startsWith("keep-answer DELETE")) await namespace.empty();
      else if (where.startsWith("stall DELETE") || where.startsWith("keep-answer PATCH")) {
        // It was marked as ended: whoever looks ends it.
        expect(await engine.status(id), where).toMatchObject({ state: "running", reason: "It is being ended." });
        await lookLater(user);
      } else {
        const { state } = await engine.status(id).catch(() => ({ state: "gone" }));
        if (!/GET/.test(where)) expect(state, where).toBe("running");
        await engine.cancel(id);
      }
      await namespace.empty();
    }
  }
  expect([...stages].filter((stage) => /PATCH|DELETE/.test(stage)).map((stage) => stage.split(" /")[0])).toEqual([
    "stall PATCH",
    "keep-answer PATCH",
    "stall DELETE",
    "keep-answer DELETE",
  ]);
});
