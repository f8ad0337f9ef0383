import type { ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, expect, it, vi } from "vitest";
import { resultLine } from "../core/protocol.ts";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { apiServer, list, refuse } from "../kubernetes/testdata/api-server.ts";
import { LocalSecrets } from "../secrets/local.ts";
import type { CallBatch, CallOutcome } from "./calls.ts";
import { KubernetesCalls } from "./kubernetes.ts";
import { batch as oneCall } from "./testdata/batch.ts";

const batch: CallBatch = { ...oneCall, inputs: ["[1]", "[2]"] };

interface Asked {
  /** `POST jobs`, `GET jobs/log`, `WATCH pods` … */
  readonly what: string;
  readonly pathname: string;
  readonly response: ServerResponse;
}

interface Made {
  metadata: { name: string; annotations: { "slipway/nonce": string } };
}

/** As far as the engine reads it of a Job in the cluster. */
const spec = { template: { spec: { containers: [] } } };

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

/** A cluster that runs a batch when it is told to. What `other` takes care of it does not answer itself. */
async function clusterOf(other: (asked: Asked) => boolean, more: Partial<CallBatch> = {}) {
  const asked: string[] = [];
  const watches = new Map<string, ServerResponse>();
  let job: Made | undefined;
  const env = await apiServer(async (request, response) => {
    const { method = "", url } = request;
    const { pathname, searchParams } = new URL(url, "http://server");
    const kind = /\/(log|jobs|pods|secrets|events)(?=\/[^/]+$|$)/.exec(pathname)?.[1] ?? "";
    const what = `${searchParams.has("watch") ? "WATCH" : method} ${kind}`;
    asked.push(what);
    if (other({ what, pathname, response })) return;
    if (what.startsWith("WATCH")) {
      response.flushHeaders();
      return void watches.set(kind, response);
    }
    if (what === "POST jobs") job = JSON.parse(await text(request)) as Made;
    const metadata = { ...job?.metadata, uid: "u" };
    const known = kind === "jobs" && searchParams.has("fieldSelector") ? [{ metadata, spec }] : [];
    response.end(method === "GET" ? list(known) : JSON.stringify({ metadata }));
  });
  const send = (kind: string, object: object) =>
    void watches.get(kind)?.write(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
  /** The pod of a call has ended, with a short result or with what is in its log. */
  const end = (index: number, result?: unknown, reply = JSON.stringify({ result })) => {
    const { name, annotations } = (job as Made).metadata;
    const message = reply === "{}" ? "" : resultLine(annotations["slipway/nonce"], reply);
    send("pods", {
      metadata: { name: `${name}-${index}`, labels: { "batch.kubernetes.io/job-completion-index": String(index) } },
      spec: { containers: [] },
      status: {
        phase: "Succeeded",
        containerStatuses: [{ name: "main", state: { terminated: { exitCode: 0, message } } }],
      },
    });
  };
  /** The pod of a call runs. */
  const begin = (index: number) => {
    const { name } = (job as Made).metadata;
    send("pods", {
      metadata: { name: `${name}-${index}`, labels: { "batch.kubernetes.io/job-completion-index": String(index) } },
      spec: { containers: [] },
      status: { phase: "Running", containerStatuses: [{ name: "main", state: { running: {} } }] },
    });
  };
  /** An attempt of a call has ended in another way. */
  const fail = (index: number, exitCode: number, attempt = 0, metadata: object = {}, reason = "Error") => {
    const { name } = (job as Made).metadata;
    const labels = { "batch.kubernetes.io/job-completion-index": String(index) };
    send("pods", {
      metadata: { name: `${name}-${index}-${attempt}`, labels, ...metadata },
      spec: { containers: [] },
      status: { phase: "Failed", containerStatuses: [{ name: "main", state: { terminated: { exitCode, reason } } }] },
    });
  };
  /** A container that its node has made and does not start. */
  const make = (index: number) => {
    const { name } = (job as Made).metadata;
    const labels = { "batch.kubernetes.io/job-completion-index": String(index) };
    const containerStatuses = [{ name: "main", imageID: "sha256:1", state: { waiting: {} } }];
    send("pods", {
      metadata: { name: `${name}-${index}-0`, labels },
      spec: { containers: [] },
      status: { phase: "Pending", containerStatuses },
    });
  };
  const failed = (reason: string) => {
    const conditions = [{ type: "Failed", status: "True", reason, message: "Job has failed indexes" }];
    send("jobs", { metadata: job?.metadata, spec, status: { conditions } });
  };
  const complete = () =>
    send("jobs", { metadata: job?.metadata, spec, status: { conditions: [{ type: "Complete", status: "True" }] } });
  const count = (wanted: string) => asked.filter((what) => what === wanted).length;
  const outcomes: CallOutcome[] = [];
  let printed = "";
  const stop = new AbortController();
  const ended = new KubernetesCalls(env).run(
    { ...batch, ...more },
    {
      onOutcome: (index, outcome) => {
        outcomes[index] = outcome;
      },
      onOutput: (data) => {
        printed += data.toString();
      },
      signal: stop.signal,
    },
  );
  ended.catch(() => {});
  const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 12_000 });
  return {
    begin,
    count,
    end,
    fail,
    make,
    failed,
    complete,
    ended,
    outcomes,
    printed: () => printed,
    stop,
    until,
    watched: () => until(() => watches.has("pods") && watches.has("jobs")),
  };
}

const later = (milliseconds: number) => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + milliseconds });
afterEach(() => void vi.useRealTimers());

const both = [{ reply: { result: 1 } }, { reply: { result: 2 } }];

it("goes on when the cluster does not answer for a while what keeps pods from coming", async () => {
  const cluster = await clusterOf(refusing("GET events", 503, 4));
  await cluster.until(() => cluster.count("GET events") > 4);
  cluster.end(0, 1);
  cluster.end(1, 2);
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
});

it("fails when the cluster refuses its pods", async () => {
  const message = 'Error creating: pods "a" is forbidden: violates PodSecurity "restricted:latest"';
  const metadata = { uid: "e", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const cluster = await clusterOf(({ what, response }) => {
    if (what !== "GET events") return false;
    response.end(list([{ metadata, reason: "FailedCreate", message }]));
    return true;
  });
  await expect(cluster.ended).rejects.toThrow(failureWith("cluster-refused", "pod"));
});

it("keeps results though the job cannot be deleted any more, and says what is left", async () => {
  const cluster = await clusterOf(refusing("DELETE jobs", 503));
  await cluster.watched();
  cluster.end(0, 1);
  cluster.end(1, 2);
  await cluster.until(() => cluster.count("DELETE jobs") > 4);
  later(10 * 60_000);
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
  expect(cluster.printed()).toMatch(/^slipway: Job f-\w+ is left in namespace default of cluster test.*\n$/m);
});

it("keeps results though the user may not delete the job, and says what is left", async () => {
  const cluster = await clusterOf(refusing("DELETE jobs", 403));
  await cluster.watched();
  cluster.end(0, 1);
  cluster.end(1, 2);
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
  expect(cluster.printed()).toMatch(/^slipway: Job f-\w+ is left in namespace default of cluster test: .*403.*\n$/m);
  // The end of the watches, which have served their purpose, does not make the cluster one that does not answer.
  expect(cluster.count("DELETE jobs")).toBe(1);
});

it("shows what the pods of a map print as they print it, and that of one that ended at once", async () => {
  const stamped = (text: string) => `2026-01-01T00:00:00.000000001Z ${text}`;
  const logs: ServerResponse[] = [];
  const isLog = ({ what, pathname, response }: Asked) => {
    if (what !== "GET log") return false;
    if (/-1\/log$/.test(pathname)) response.end(stamped("short"));
    else if (logs.push(response) > 1) response.end(stamped("long\n"));
    else response.write(stamped("lo"));
    return true;
  };
  const cluster = await clusterOf(isLog, { labels: "plain" });
  await cluster.watched();
  cluster.begin(0);
  await cluster.until(() => logs.length === 1);
  cluster.end(1, 2);
  await cluster.until(() => cluster.printed() === "[f 1] short\n");
  logs[0]?.write("ng\n");
  await cluster.until(() => cluster.printed().endsWith("[f 0] long\n"));
  cluster.end(0, 1);
  logs[0]?.end();
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
  expect(cluster.printed()).toBe("[f 1] short\n[f 0] long\n");
});

it("keeps the results of a map whose logs cannot be read, and says so", async () => {
  const isLog = ({ what }: Asked) => what === "GET log";
  const cluster = await clusterOf(isLog, { labels: "plain" });
  await cluster.watched();
  cluster.begin(0);
  cluster.end(0, 1);
  cluster.end(1, 2);
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
  const lines = cluster.printed().split("\n").sort();
  expect(lines).toEqual(["", ...[0, 1].map((item) => `slipway: f, item ${item}: its log cannot be read`)]);
}, 30_000);

it("ends what runs as soon as the cluster answers again", async () => {
  const cluster = await clusterOf(refusing("DELETE jobs", 503, 5));
  await cluster.watched();
  cluster.stop.abort();
  await expect(cluster.ended).rejects.toThrow(/abort/);
  expect(cluster.count("DELETE jobs")).toBe(6);
});

it("waits for pods that cannot be listed at the end of the job", async () => {
  const refuses = refusing("GET pods", 503, 4);
  let isAtEnd = false;
  const cluster = await clusterOf((asked) => isAtEnd && refuses(asked));
  await cluster.watched();
  isAtEnd = true;
  cluster.complete();
  await cluster.ended;
  expect(cluster.outcomes).toMatchObject([{ status: 1 }, { status: 1 }]);
});

it("says what is not allowed first", async () => {
  const may = (verb: string) => `jobs.batch is forbidden: User "u" cannot ${verb} resource "jobs" in API group "batch"`;
  const cluster = await clusterOf(({ what, response }) => {
    const verb = { "POST jobs": "create", "DELETE jobs": "delete" }[what];
    if (verb === undefined) return false;
    response.writeHead(403).end(JSON.stringify({ reason: "Forbidden", message: may(verb) }));
    return true;
  });
  await expect(cluster.ended).rejects.toThrow(userErrorWith("cluster-refused", "create jobs.batch"));
});

it("says that a large result is lost with the log that its node has cut", async () => {
  const cluster = await clusterOf(() => false);
  await cluster.watched();
  cluster.end(0, undefined, '{"logged":5000}');
  cluster.end(1, 2);
  await cluster.ended;
  const problem = expect.stringMatching(/^Its result of 5000 bytes is not in its pod's log any more/);
  expect(cluster.outcomes).toEqual([{ status: 1, reason: { problem, remedy: expect.any(String) } }, both[1]]);
});

it("fails only the call whose result its node does not give", async () => {
  const cluster = await clusterOf(refusing("GET log", 502));
  await cluster.watched();
  cluster.end(0);
  await cluster.until(() => cluster.count("GET log") > 1);
  later(6 * 60_000);
  await cluster.until(() => cluster.outcomes[0] !== undefined);
  cluster.end(1, 2);
  await cluster.ended;
  expect(cluster.outcomes).toEqual([{ status: 1, reason: expect.anything() }, both[1]]);
});

it("repeats a call that fails, and fails it with its last attempt", async () => {
  const cluster = await clusterOf(() => false, { retries: 1 });
  await cluster.watched();
  const notice = (index: number) => `slipway: f, item ${index}: attempt 1 of 2 failed; trying again\n`;
  for (const index of [0, 1]) {
    cluster.fail(index, 3);
    await cluster.until(() => cluster.printed().includes(notice(index)));
  }
  expect(cluster.outcomes).toEqual([]);
  cluster.fail(0, 4, 1);
  cluster.end(1, 2);
  await cluster.ended;
  expect(cluster.outcomes).toEqual([{ status: 4 }, both[1]]);
});

const deletion = { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["batch.kubernetes.io/job-tracking"] };

it.each([
  ["pod was deleted", 143, deletion, "Error"],
  ["node was restarted", 255, {}, "Unknown"],
])("makes a call again whose %s, which is no failure of it", async (_, status, metadata, reason) => {
  const cluster = await clusterOf(() => false);
  await cluster.watched();
  cluster.fail(0, status, 0, metadata, reason);
  cluster.end(1, 2);
  cluster.failed("FailedIndexes");
  await cluster.until(() => ["POST jobs", "WATCH pods", "WATCH jobs"].every((what) => cluster.count(what) >= 2));
  expect(cluster.outcomes).toEqual([undefined, both[1]]);
  cluster.end(0, 1);
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
  expect(cluster.printed()).toContain("slipway: The pod of a call was deleted or lost; trying again\n");
  expect(cluster.count("DELETE jobs")).toBe(2);
});

it("makes a call again whose container its node never starts", async () => {
  const cluster = await clusterOf(() => false);
  await cluster.watched();
  cluster.make(0);
  cluster.end(1, 2);
  await cluster.until(() => cluster.outcomes[1] !== undefined);
  later(3 * 60_000);
  await cluster.until(() => ["POST jobs", "WATCH pods", "WATCH jobs"].every((what) => cluster.count(what) >= 2));
  cluster.end(0, 1);
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
  expect(cluster.printed()).toContain("slipway: The pod of a call was deleted or lost; trying again\n");
});

it("makes a call again whose pod was deleted with its node, which does not give the log", async () => {
  const refuses = refusing("GET log", 502);
  let isAway = true;
  const cluster = await clusterOf((asked) => isAway && refuses(asked));
  await cluster.watched();
  cluster.fail(0, 143, 0, deletion);
  await cluster.until(() => cluster.count("GET log") > 1);
  later(6 * 60_000);
  cluster.end(1, 2);
  cluster.failed("FailedIndexes");
  await cluster.until(() => cluster.count("DELETE jobs") > 0);
  isAway = false;
  await cluster.until(() => ["POST jobs", "WATCH pods", "WATCH jobs"].every((what) => cluster.count(what) >= 2));
  cluster.end(0, 1);
  await cluster.ended;
  expect(cluster.outcomes).toEqual(both);
});

it("does not make calls again that took longer than the batch may", async () => {
  const cluster = await clusterOf(() => false);
  await cluster.watched();
  for (const index of [0, 1]) cluster.fail(index, 143, 0, { deletionTimestamp: "2026-01-01T00:00:00Z" });
  cluster.failed("DeadlineExceeded");
  await cluster.ended;
  expect(cluster.outcomes).toMatchObject([{ status: 1 }, { status: 1 }]);
  expect(cluster.count("POST jobs")).toBe(1);
});

it("has secrets of variables in the calls' own Secret alone, or where the cluster has them", async () => {
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
  const calls = new KubernetesCalls(env);
  const run = (variables: Record<string, string>) =>
    calls.run({ ...batch, env: variables }, { onOutcome: () => {}, onOutput: () => {} });
  await expect(run({ A: "SECRET:here" })).rejects.toThrow(userErrorWith("secret-not-found", "SECRET:here"));
  expect(sent).toEqual([]);
  await new LocalSecrets(env).set("here", Buffer.from("hunter2"));
  await expect(run({ A: "SECRET:here", B: "SECRET:theirs" })).rejects.toThrow();
  const holders = (value: string) => sent.filter(({ body }) => body.includes(value)).map(({ what }) => what);
  expect(["hunter2", "geheim", btoa("geheim")].flatMap(holders)).toEqual([]);
  expect(holders(btoa("hunter2"))).toEqual(["POST secrets"]);
  expect(holders('"secretKeyRef":{"name":"theirs","key":"password"}')).toEqual(["POST jobs"]);
});

it.each(["null", "5", "[]", "garbage", '{"error":null}'])("fails only the call whose pod answers %s", async (reply) => {
  const cluster = await clusterOf(() => false);
  await cluster.watched();
  cluster.end(0, undefined, reply);
  cluster.end(1, 2);
  await cluster.ended;
  expect(cluster.outcomes).toEqual([{ reply: { error: expect.objectContaining({ name: "Failure" }) } }, both[1]]);
});
