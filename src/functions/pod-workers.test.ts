import type { ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, expect, it, vi } from "vitest";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { acceptSocket, apiServer, list, refuse, type TestSocket } from "../kubernetes/testdata/api-server.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { PodWorkers } from "./pod-workers.ts";
import type { Worker, WorkerEnd, WorkerGroup, WorkerSpec } from "./worker.ts";

const spec: WorkerSpec = {
  name: "f",
  image: `r.example.com/a@sha256:${"0".repeat(64)}`,
  programArguments: [],
  env: {},
  network: "none",
  resources: {},
};

interface Asked {
  /** `POST jobs`, `GET jobs/log`, `WATCH pods`, `CONNECT portforward` … */
  readonly what: string;
  readonly response: ServerResponse;
}

interface Made {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly completions: number };
}

/** Refuses a question with a status, as often as `times` says. */
function refusing(what: string, status: number, times = Number.POSITIVE_INFINITY) {
  let refused = 0;
  return (asked: Asked) => {
    if (asked.what !== what || refused === times) return false;
    refused += 1;
    refuse(asked.response, status);
    return true;
  };
}

/** A cluster whose pods do what they are told to. It does not answer what `other` takes care of. */
async function clusterOf(other: (asked: Asked) => boolean = () => false, more: Partial<WorkerSpec> = {}) {
  const asked: string[] = [];
  const watches = new Map<string, ServerResponse>();
  const jobs: Made[] = [];
  const deleted = new Set<string>();
  const sockets: TestSocket[] = [];
  const received: string[] = [];
  const behaviour = { refuses: 0 };
  let version = 1;
  const env = await apiServer(
    async (request, response) => {
      const { method = "", url } = request;
      const { pathname, searchParams } = new URL(url, "http://server");
      const kind = /\/(log|portforward|jobs|pods|secrets|events)(?=\/[^/]+$|$)/.exec(pathname)?.[1] ?? "";
      const what = `${searchParams.has("watch") ? "WATCH" : method} ${kind}`;
      asked.push(what);
      if (other({ what, response })) return;
      if (what.startsWith("WATCH")) {
        response.flushHeaders();
        return void watches.set(kind, response);
      }
      const name = pathname.split("/").at(-1) ?? "";
      if (what === "POST jobs") jobs.push(JSON.parse(await text(request)) as Made);
      if (method === "DELETE") deleted.add(name);
      const present = kind === "jobs" ? jobs.filter((job) => !deleted.has(job.metadata.name)) : [];
      const metadata = { ...jobs.at(-1)?.metadata, uid: "u", resourceVersion: "1" };
      const isList = method === "GET" && name === kind;
      response.end(
        isList ? list(present.map((job) => ({ ...job, metadata }))) : JSON.stringify({ ...jobs.at(-1), metadata }),
      );
    },
    (request, socket) => {
      asked.push("CONNECT portforward");
      const response = { writeHead: (code: number) => ({ end: () => void socket.end(`HTTP/1.1 ${code} No\r\n\r\n`) }) };
      if (other({ what: "CONNECT portforward", response: response as unknown as ServerResponse })) return;
      const connection = acceptSocket(request, socket, (_, data) => received.push(data.toString()));
      for (const channel of [0, 1]) connection.send(channel, Buffer.of(0x8b, 0x12));
      if (behaviour.refuses > 0) {
        behaviour.refuses -= 1;
        connection.send(1, Buffer.from("error forwarding port: connection refused"));
      } else sockets.push(connection);
    },
  );
  const send = (kind: string, type: string, object: { readonly metadata: object }) => {
    version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    watches.get(kind)?.write(`${JSON.stringify({ type, object: { ...object, metadata } })}\n`);
  };
  const pod = (index: number, status: object, metadata: object = {}, spec: object = { containers: [] }) => {
    const job = jobs.at(-1)?.metadata.name ?? "";
    const labels = { "batch.kubernetes.io/job-name": job, "batch.kubernetes.io/job-completion-index": String(index) };
    return {
      metadata: { name: `${job}-${index}`, uid: `p${index}`, labels, ...metadata },
      spec,
      status,
    };
  };
  const statuses = (state: object, rest: object = {}) => ({ containerStatuses: [{ name: "main", state, ...rest }] });
  const terminated = (exitCode: number, reason: string) => ({
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    ...statuses({ terminated: { exitCode, reason } }),
  });
  const change = (index: number, status: object, metadata: object = {}, spec?: object) =>
    send("pods", "MODIFIED", pod(index, status, metadata, spec));
  const engine = new PodWorkers(env);
  let told = "";
  const group: WorkerGroup = await engine.open({ ...spec, ...more }, (words) => {
    told += `${words}\n`;
  });
  const start = (onData: (data: string) => void = () => {}) => {
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<WorkerEnd>();
    const seen = { connections: 0, started: "", output: "", token: "" };
    const worker: Worker = group.start({
      onStart: (where) => {
        seen.started = where ?? "";
      },
      onConnect: (token) => {
        seen.connections += 1;
        seen.token = token ?? "";
        void worker.write(Buffer.from(`hello ${seen.connections}`));
      },
      onData: (data) => onData(data.toString()),
      onOutput: (data) => {
        seen.output += data;
      },
      onEnd,
    });
    return { ...worker, seen, ended };
  };
  const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 12_000 });
  const count = (wanted: string) => asked.filter((what) => what === wanted).length;
  return {
    asked,
    behaviour,
    count,
    group,
    jobs,
    received,
    sockets,
    start,
    told: () => told,
    until,
    watched: () => until(() => jobs.length > 0 && watches.has("pods") && watches.has("jobs")),
    run: (index: number) => change(index, { phase: "Running", ...statuses({ running: {} }) }),
    end: (index: number, code: number, metadata: object = {}, reason = "Error") =>
      change(index, terminated(code, reason), metadata),
    change,
    make: (index: number) => change(index, { phase: "Pending", ...statuses({ waiting: {} }, { imageID: "sha256:1" }) }),
    mark: (index: number) => change(index, { phase: "Running", ...statuses({ running: {} }) }, deletion),
    vanish: (index: number) => send("pods", "DELETED", pod(index, {})),
    job: (type: string, more: object) => send("jobs", type, { ...(jobs.at(-1) as Made), ...more }),
  };
}

const deletion = { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["batch.kubernetes.io/job-tracking"] };
const later = (milliseconds: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + milliseconds });
afterEach(() => void vi.useRealTimers());

it("makes one Job of the workers that are started in one turn, and another one of a later worker", async () => {
  const cluster = await clusterOf();
  const workers = [cluster.start(), cluster.start(), cluster.start()];
  await cluster.until(() => cluster.jobs.length === 1);
  const more = cluster.start();
  await cluster.until(() => cluster.jobs.length === 2);
  expect(cluster.jobs.map((job) => job.spec.completions)).toEqual([3, 1]);
  for (const worker of [...workers, more]) worker.close();
  await cluster.group.close();
  expect(cluster.count("WATCH pods")).toBeLessThanOrEqual(1);
  expect(cluster.count("DELETE jobs")).toBe(2);
});

it("connects to a pod as soon as its program listens, and again when the connection is cut", async () => {
  const cluster = await clusterOf();
  let data = "";
  const worker = cluster.start((chunk) => {
    data += chunk;
  });
  cluster.behaviour.refuses = 3;
  await cluster.watched();
  cluster.run(0);
  await cluster.until(() => cluster.sockets.length === 1);
  expect(worker.seen.started).toMatch(/^f-\w+-0$/);
  expect(worker.seen.token).toMatch(/^\w{32}$/);
  cluster.sockets[0]?.send(0, Buffer.from("one"));
  await cluster.until(() => data === "one");
  cluster.sockets[0]?.close();
  await cluster.until(() => cluster.sockets.length === 2);
  cluster.sockets[1]?.send(0, Buffer.from("two"));
  await cluster.until(() => data === "onetwo");
  await cluster.until(() => cluster.received.includes(`hello ${worker.seen.connections}`));
  expect(worker.seen.connections).toBe(5);
  cluster.end(0, 0);
  expect(await worker.ended).toEqual({ status: 0 });
  await cluster.group.close();
});

it("ends a worker that was told to when its connection closes, without waiting for its node", async () => {
  const cluster = await clusterOf();
  const worker = cluster.start();
  await cluster.watched();
  cluster.run(0);
  await cluster.until(() => cluster.sockets.length === 1);
  worker.close();
  cluster.sockets[0]?.close();
  expect(await worker.ended).toEqual({ status: 0 });
  await cluster.group.close();
  expect(cluster.count("DELETE jobs")).toBe(1);
});

it("says how a program ended, and shows what it printed but for the lines of its calls", async () => {
  const cluster = await clusterOf(({ what, response }) => {
    if (what !== "GET log") return false;
    const stamp = "2026-01-01T00:00:00.000000001Z";
    response.end(`${stamp} [f 12] from a call\n${stamp} Error: no such module\n`);
    return true;
  });
  const [one, other, third] = [cluster.start(), cluster.start(), cluster.start()];
  await cluster.watched();
  cluster.end(0, 3);
  expect(await one?.ended).toEqual({ status: 3 });
  expect(one?.seen.output).toBe("Error: no such module\n");
  cluster.end(1, 137, {}, "OOMKilled");
  const reason = { problem: expect.stringContaining("ran out of memory"), remedy: expect.any(String) };
  expect(await other?.ended).toEqual({ status: 137, reason });
  cluster.end(2, 0);
  expect(await third?.ended).toEqual({ status: 0 });
  expect(third?.seen.output).toBe("");
  await cluster.group.close();
});

it.each([
  ["was deleted while its program ended", (cluster: Cluster) => cluster.end(0, 143, deletion)],
  ["is on a node that was restarted", (cluster: Cluster) => cluster.end(0, 255, {}, "Unknown")],
  ["is gone", (cluster: Cluster) => cluster.vanish(0)],
  ["waits for a node that is lost", (cluster: Cluster) => cluster.change(0, { phase: "Pending" }, deletion)],
  ["was left alone for too long", (cluster: Cluster) => cluster.end(0, 129)],
])("takes a worker for lost whose pod %s", async (_, lose) => {
  const cluster = await clusterOf();
  const worker = cluster.start();
  await cluster.watched();
  cluster.change(0, { phase: "Pending" });
  await cluster.until(() => cluster.count("WATCH pods") > 0);
  lose(cluster);
  expect(await worker.ended).toMatchObject({ isLost: true });
  expect(worker.seen.output).toBe("");
  await cluster.group.close();
});

type Cluster = Awaited<ReturnType<typeof clusterOf>>;

it("lets a pod that is being deleted go on until its connection is gone", async () => {
  const cluster = await clusterOf();
  const worker = cluster.start();
  await cluster.watched();
  cluster.run(0);
  await cluster.until(() => cluster.sockets.length === 1);
  let isOver = false;
  void worker.ended.then(() => {
    isOver = true;
  });
  cluster.mark(0);
  const before = cluster.received.length;
  void worker.write(Buffer.from("still there"));
  await cluster.until(() => cluster.received.length > before);
  expect(isOver).toBe(false);
  cluster.sockets[0]?.close();
  expect(await worker.ended).toMatchObject({ isLost: true });
  await cluster.group.close();
});

it("takes a worker for lost whose container its node never starts", async () => {
  const cluster = await clusterOf();
  const worker = cluster.start();
  await cluster.watched();
  cluster.make(0);
  cluster.change(0, { phase: "Pending", containerStatuses: [{ name: "main", imageID: "i", state: { waiting: {} } }] });
  await cluster.until(() => cluster.told() === "" && cluster.count("WATCH pods") > 0);
  const timer = setInterval(() => later(3 * 60_000), 500);
  expect(await worker.ended).toMatchObject({ isLost: true });
  clearInterval(timer);
  await cluster.group.close();
}, 15_000);

it("takes workers for lost whose pods nobody has seen when their Job has ended", async () => {
  const cluster = await clusterOf();
  const [one, other] = [cluster.start(), cluster.start()];
  await cluster.watched();
  cluster.run(0);
  await cluster.until(() => cluster.sockets.length === 1);
  cluster.job("MODIFIED", { status: { conditions: [{ type: "Failed", status: "True", reason: "FailedIndexes" }] } });
  expect(await other?.ended).toMatchObject({ isLost: true });
  cluster.end(0, 0);
  expect(await one?.ended).toEqual({ status: 0 });
  await cluster.group.close();
}, 15_000);

it("ends all workers when their Job is deleted by someone", async () => {
  const cluster = await clusterOf();
  const workers = [cluster.start(), cluster.start()];
  await cluster.watched();
  cluster.job("ADDED", {});
  cluster.job("DELETED", {});
  for (const { ended } of workers) expect((await ended).cause).toEqual(failureWith("job-failed", /^f-\w+$/));
  await cluster.group.close();
});

it("says why a Job could not be made whole, not that it is gone", async () => {
  const message = 'secrets is forbidden: User "u" cannot create resource "secrets" in API group ""';
  const cluster = await clusterOf(({ what, response }) => {
    if (what === "POST secrets") {
      void cluster.watched().then(() => {
        cluster.job("ADDED", {});
        response.writeHead(403).end(JSON.stringify({ reason: "Forbidden", message }));
      });
    } else if (what === "DELETE jobs") {
      cluster.job("DELETED", {});
      // The watch is quicker.
      setTimeout(() => response.end("{}"), 100);
    } else return false;
    return true;
  });
  const { ended } = cluster.start();
  expect((await ended).cause).toEqual(userErrorWith("cluster-refused", "create secrets"));
  await cluster.group.close();
});

it("goes on when the cluster does not say for a while what keeps pods from coming", async () => {
  const cluster = await clusterOf(refusing("GET events", 503, 4));
  const worker = cluster.start();
  await cluster.until(() => cluster.count("GET events") > 4);
  cluster.end(0, 0);
  expect(await worker.ended).toEqual({ status: 0 });
  await cluster.group.close();
}, 15_000);

it("fails all workers when the cluster refuses their pods", async () => {
  const message = 'Error creating: pods "a" is forbidden: violates PodSecurity "restricted:latest"';
  const metadata = { uid: "e", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const cluster = await clusterOf(({ what, response }) => {
    if (what !== "GET events") return false;
    response.end(list([{ metadata, reason: "FailedCreate", message }]));
    return true;
  });
  const workers = [cluster.start(), cluster.start()];
  await cluster.watched();
  for (const { ended } of workers) expect((await ended).cause).toEqual(failureWith("cluster-refused", "pod"));
  await cluster.group.close();
}, 15_000);

it("goes on when the cluster does not say why a pod has no image yet", async () => {
  const cluster = await clusterOf(refusing("GET events", 503));
  const worker = cluster.start();
  await cluster.watched();
  const message = "failed to pull: 401 Unauthorized";
  const state = { waiting: { reason: "ErrImagePull", message } };
  const startTime = "2026-01-01T00:00:00Z";
  const status = { phase: "Pending", startTime, containerStatuses: [{ name: "main", state }] };
  const spec = { containers: [{ name: "main", image: "r.example.com/a" }], imagePullSecrets: [{ name: "s" }] };
  cluster.change(0, status, {}, spec);
  // The request and its repetitions.
  await cluster.until(() => cluster.count("GET events") >= 4);
  await cluster.until(() => cluster.told().includes("Waiting for"));
  cluster.end(0, 0);
  expect(await worker.ended).toEqual({ status: 0 });
  await cluster.group.close();
}, 20_000);

it("says how many workers run when the others get no pod", async () => {
  const message =
    'Error creating: pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1';
  const metadata = { uid: "e", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const cluster = await clusterOf(({ what, response }) => {
    if (what !== "GET events") return false;
    response.end(list([{ metadata, reason: "FailedCreate", message }]));
    return true;
  });
  const workers = [cluster.start(), cluster.start(), cluster.start()];
  await cluster.watched();
  cluster.run(0);
  await cluster.until(() => cluster.told().includes("1 of 3 workers of f run; the others wait. The namespace's quota"));
  for (const worker of workers.slice(1)) worker.close();
  cluster.end(0, 0);
  await cluster.group.close();
}, 20_000);

it("names the right that connections need, and fails all workers", async () => {
  const may =
    'pods "f-0" is forbidden: User "u" cannot get resource "pods/portforward" in API group "" in the namespace "n"';
  const cluster = await clusterOf(({ what, response }) => {
    if (!what.endsWith("portforward")) return false;
    response.writeHead(403).end(JSON.stringify({ reason: "Forbidden", message: may }));
    return true;
  });
  const workers = [cluster.start(), cluster.start()];
  await cluster.watched();
  cluster.run(0);
  for (const { ended } of workers) {
    expect((await ended).cause).toEqual(userErrorWith("cluster-refused", "get pods/portforward"));
  }
  await cluster.group.close();
});

it("says what is not allowed first", async () => {
  const may = (verb: string) => `jobs.batch is forbidden: User "u" cannot ${verb} resource "jobs" in API group "batch"`;
  const cluster = await clusterOf(({ what, response }) => {
    const verb = { "POST jobs": "create", "DELETE jobs": "delete" }[what];
    if (verb === undefined) return false;
    response.writeHead(403).end(JSON.stringify({ reason: "Forbidden", message: may(verb) }));
    return true;
  });
  const { cause } = await cluster.start().ended;
  expect(cause).toEqual(userErrorWith("cluster-refused", "create jobs.batch"));
  await cluster.group.close();
  expect(cluster.told()).toBe("");
});

it.each([
  [503, 4, 10 * 60_000],
  [403, 0, 0],
])(
  "ends, and says what is left, when the job cannot be deleted (%i)",
  async (status, times, time) => {
    const cluster = await clusterOf(refusing("DELETE jobs", status));
    const worker = cluster.start();
    await cluster.watched();
    cluster.end(0, 0);
    await worker.ended;
    const closed = cluster.group.close();
    await cluster.until(() => cluster.count("DELETE jobs") > times);
    if (time > 0) later(time);
    await closed;
    expect(cluster.told()).toMatch(/^Job f-\w+ is left in namespace default of cluster test: .*$/m);
  },
  20_000,
);

it("ends what runs as soon as the cluster answers again", async () => {
  const cluster = await clusterOf(refusing("DELETE jobs", 503, 5));
  const workers = [cluster.start(), cluster.start()];
  await cluster.watched();
  cluster.run(0);
  await cluster.until(() => cluster.sockets.length === 1);
  const stopped = Promise.all(workers.map((worker) => worker.stop()));
  await cluster.until(() => cluster.count("DELETE jobs") === 6);
  cluster.vanish(0);
  await stopped;
  const ends = await Promise.all(workers.map(({ ended }) => ended));
  expect(ends).toEqual([{ status: 143 }, { status: 143 }]);
  await cluster.group.close();
  expect(cluster.count("DELETE jobs")).toBe(6);
}, 20_000);

it("deletes the pod of a worker that is stopped alone, and names the right where that is missing", async () => {
  const cluster = await clusterOf(refusing("DELETE pods", 403));
  const [one, other] = [cluster.start(), cluster.start()];
  await cluster.watched();
  cluster.run(0);
  await cluster.until(() => cluster.sockets.length === 1);
  await one?.stop();
  expect(cluster.count("DELETE jobs")).toBe(0);
  expect(cluster.told()).toMatch(/^Pod f-\w+-0 goes on with its call until that ends: .*role of functions/);
  other?.close();
  await cluster.group.close();
}, 20_000);

it("has secrets of variables in the workers' own Secret alone, or where the cluster has them", async () => {
  const sent: { readonly what: string; readonly body: string }[] = [];
  const theirs = { metadata: { name: "theirs", resourceVersion: "7" }, data: { password: btoa("geheim") } };
  const env = await apiServer(async (request, response) => {
    const { method = "", url } = request;
    const what = `${method} ${/(jobs|secrets)/.exec(url)?.[1]}`;
    if (method !== "GET") sent.push({ what, body: await text(request) });
    if (url.endsWith("/secrets/theirs")) return void response.end(JSON.stringify(theirs));
    if (url.includes("/secrets/")) return refuse(response, 404);
    if (what === "PATCH jobs") return refuse(response, 403);
    response.end(method === "GET" ? list([]) : JSON.stringify({ metadata: { name: "f", uid: "u" } }));
  });
  const engine = new PodWorkers(env);
  const open = (variables: Record<string, string>) => engine.open({ ...spec, env: variables }, () => {});
  await expect(open({ A: "SECRET:here" })).rejects.toThrow(userErrorWith("secret-not-found", "SECRET:here"));
  expect(sent).toEqual([]);
  await new LocalSecrets(env).set("here", Buffer.from("hunter2"));
  const group = await open({ A: "SECRET:here", B: "SECRET:theirs" });
  const { promise: ended, resolve: onEnd } = Promise.withResolvers<WorkerEnd>();
  const nothing = () => {};
  group.start({ onStart: nothing, onConnect: nothing, onData: nothing, onOutput: nothing, onEnd });
  expect((await ended).cause).toBeDefined();
  await group.close();
  const holders = (value: string) => sent.filter(({ body }) => body.includes(value)).map(({ what }) => what);
  expect(["hunter2", "geheim", btoa("geheim")].flatMap(holders)).toEqual([]);
  expect(holders(btoa("hunter2"))).toEqual(["POST secrets"]);
  expect(holders('"secretKeyRef":{"name":"theirs","key":"password"}')).toEqual(["POST jobs"]);
});
