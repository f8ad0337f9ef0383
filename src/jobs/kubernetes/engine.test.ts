import type { ServerResponse } from "node:http";
import { expect, it, vi } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { managedBy } from "../../kubernetes/objects.ts";
import { apiServer, list, refuse } from "../../kubernetes/testdata/api-server.ts";
import { KubernetesEngine } from "./engine.ts";

const job = {
  metadata: { name: "a-00000000", uid: "j", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: { suspend: false, backoffLimit: 0, template: { spec: { containers: [] } } },
};
const main = { name: "main", image: `r.example.com/a@sha256:${"0".repeat(64)}` };
const pod = {
  metadata: { ...job.metadata, name: "a-00000000-x", uid: "p" },
  spec: { containers: [main], imagePullSecrets: [{ name: "a-00000000-pull" }] },
};
const waiting = { reason: "ErrImagePull", message: "401 Unauthorized" };
const pulls = {
  phase: "Pending",
  // Its node may not have seen the secret yet.
  startTime: new Date(Date.now() - 12_000).toISOString(),
  containerStatuses: [{ ...main, state: { waiting } }],
};
const succeeded = { phase: "Succeeded", containerStatuses: [{ ...main, state: { terminated: { exitCode: 0 } } }] };

/** A job whose pod does not get its image at first. `onEvents` answers what is asked of events. */
async function collect(onEvents: (response: ServerResponse, hasEnded: () => Promise<void>) => void) {
  let pods: ServerResponse | undefined;
  const hasEnded = async () => {
    await vi.waitUntil(() => pods, { timeout: 20_000 });
    const event = { type: "MODIFIED", object: { ...pod, status: succeeded } };
    await new Promise<void>((resolve) => void pods?.write(`${JSON.stringify(event)}\n`, () => resolve()));
  };
  const env = await apiServer(({ url }, response) => {
    const isOfPods = url.includes("/pods");
    if (url.includes("/events")) return onEvents(response, hasEnded);
    if (!url.includes("watch=true")) return void response.end(list([isOfPods ? { ...pod, status: pulls } : job]));
    response.flushHeaders();
    if (isOfPods) pods = response;
  });
  return new KubernetesEngine(env).collect("k8s:a-00000000");
}

const none = { reason: "FailedToRetrieveImagePullSecret", message: "" };

it("lists jobs of this user, and of others where they are asked for, but removes none of theirs", async () => {
  const old = { ...job.metadata, creationTimestamp: "2020-01-01T00:00:00Z", name: "b-00000000" };
  const theirs = {
    ...job,
    metadata: { ...old, labels: { "slipway/user": "bob" } },
    spec: { ...job.spec, suspend: true },
  };
  const asked: string[] = [];
  const env = await apiServer(({ url, method }, response) => {
    const selector = new URL(url, "http://a").searchParams.get("labelSelector") ?? "";
    asked.push(`${method} ${selector}`);
    if (url.includes("/pods")) return void response.end(list([]));
    response.end(list(selector.includes("slipway/user=") ? [] : [theirs]));
  });
  const engine = new KubernetesEngine(env);
  expect(await engine.list()).toEqual([]);
  expect(await engine.list({ isOfAll: true })).toMatchObject([
    { id: "k8s:b-00000000", name: "b", engine: "kubernetes", user: "bob" },
  ]);
  expect(asked.filter((each) => each.startsWith("DELETE"))).toEqual([]);
});

it("says that a job is not there whose log is asked for", async () => {
  const absent = JSON.stringify({ kind: "Status", reason: "NotFound", message: "none" });
  const env = await apiServer(({ url }, response) => {
    if (url.includes("/pods")) response.end(list([]));
    else response.writeHead(404).end(absent);
  });
  const log = new KubernetesEngine(env).logs("k8s:a-00000000", { follow: false });
  await expect(log.next()).rejects.toThrow(userErrorWith("job-not-found", "k8s:a-00000000"));
});

it("says that a large result is lost with the log that its node has cut", async () => {
  const annotated = { ...job, metadata: { ...job.metadata, annotations: { "slipway/nonce": "n" } } };
  const message = '\x1eslipway n {"logged": 5000}\n';
  const ended = {
    phase: "Succeeded",
    containerStatuses: [{ ...main, state: { terminated: { exitCode: 0, message } } }],
  };
  const env = await apiServer(({ url }, response) => {
    if (url.includes("/log")) response.end("2026-01-01T00:00:00Z printed\n");
    else if (url.includes("watch=true")) response.flushHeaders();
    else response.end(list([url.includes("/pods") ? { ...pod, status: ended } : annotated]));
  });
  const { status } = await new KubernetesEngine(env).collect("k8s:a-00000000");
  const reason = expect.stringMatching(/^Its result of 5000 bytes is not in its pod's log any more/);
  expect(status).toMatchObject({ state: "failed", exitStatus: 1, reason });
});

it("misses no change while it asks for the reason of what was before", async () => {
  const { status } = await collect(async (response, hasEnded) => {
    await hasEnded();
    response.end(list([none]));
  });
  expect(status).toMatchObject({ state: "succeeded", exitStatus: 0 });
});

it("waits on when the cluster does not answer why a job waits", async () => {
  let asked = 0;
  const { status } = await collect(async (response, hasEnded) => {
    asked += 1;
    refuse(response, 503);
    if (asked === 4) await hasEnded();
  });
  expect(status).toMatchObject({ state: "succeeded", exitStatus: 0 });
});

it("is cancelled though nobody could see the end of its pods, once the cluster has it no more", async () => {
  const running = { ...job, metadata: { ...job.metadata, labels: managedBy } };
  let pods: ServerResponse | undefined;
  let isDeleted = false;
  let isRefused = false;
  const env = await apiServer(({ url, method }, response) => {
    const isOfPods = url.includes("/pods");
    if (method === "DELETE") {
      isDeleted = true;
      // The state that the watch began with is forgotten, and nobody may look again.
      pods?.write(`${JSON.stringify({ type: "ERROR", object: {} })}\n`);
    }
    if (method !== "GET") response.end(JSON.stringify(running));
    else if (url.includes("watch=true")) {
      response.flushHeaders();
      if (isOfPods) pods = response;
    } else if (isOfPods) {
      if (isDeleted && !isRefused) refuse(response, 403);
      else response.end(list(isDeleted ? [] : [pod]));
      isRefused ||= isDeleted;
    } else if (url.includes("/jobs/")) {
      const missing = { kind: "Status", code: 404, reason: "NotFound", message: "no such job" };
      if (isDeleted) response.writeHead(404).end(JSON.stringify(missing));
      else response.end(JSON.stringify(running));
    } else response.end(list([running]));
  });
  const engine = new KubernetesEngine(env);
  await expect(engine.cancel("k8s:a-00000000")).rejects.toThrow();
  expect(await engine.status("k8s:a-00000000")).toMatchObject({ state: "cancelled" });
});
