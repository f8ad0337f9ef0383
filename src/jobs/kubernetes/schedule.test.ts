import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import { apiServer, list, refuse } from "../../kubernetes/testdata/api-server.ts";
import { applySchedule, listSchedules, pauseSchedule } from "./schedule.ts";
import { shell } from "./testdata/program.ts";

const image = `r.example.com/a@sha256:${"0".repeat(64)}`;
const program = shell(image, "run", { name: "Nightly", env: { A: "plain" } });
const when = { schedule: "0 3 * * *", timeZone: "UTC" };

/** A cluster with one schedule, or none. @param refusesSecrets whether it takes no Secret */
async function clusterOfTest(found?: object, refusesSecrets = false) {
  const sent: { readonly what: string; readonly body: string }[] = [];
  const env = await apiServer(async (request, response) => {
    const { method = "", url } = request;
    const body = await text(request);
    if (method !== "GET") sent.push({ what: `${method} ${/(cronjobs|secrets\/?.*)/.exec(url)?.[1]}`, body });
    if (method === "POST" && url.includes("/secrets") && refusesSecrets) return refuse(response, 403);
    if (method === "GET" && url.includes("cronjobs?")) return void response.end(list(found ? [found] : []));
    if (method === "GET" && !found) {
      return void response
        .writeHead(404)
        .end(JSON.stringify({ kind: "Status", code: 404, reason: "NotFound", message: "none" }));
    }
    const made = { metadata: { name: "nightly", uid: "u" }, spec: { ...when, jobTemplate: {} } };
    response.end(JSON.stringify(method === "GET" ? found : made));
  });
  return { sent, cluster: await openCluster(env), options: { copy: false, env } };
}

function schedule(owner: string, more: object = {}, spec: object = {}) {
  const labels = { "app.kubernetes.io/managed-by": "slipway", "slipway/user": owner };
  return { metadata: { name: "nightly", uid: "u", labels, ...more }, spec: { ...when, suspend: true, ...spec } };
}

it("is suspended until its Secret is there, and gone where that cannot be made", async () => {
  const { sent, cluster, options } = await clusterOfTest();
  await applySchedule(cluster, program, when, options);
  expect(sent.map(({ what }) => what)).toEqual(["POST cronjobs", "POST secrets", "PATCH cronjobs"]);
  const [made, secret, released] = sent.map(({ body }) => JSON.parse(body));
  expect(made.spec).toMatchObject({ ...when, suspend: true, concurrencyPolicy: "Forbid" });
  expect(made.spec.jobTemplate.spec).not.toHaveProperty("suspend");
  expect(made.spec.jobTemplate.metadata.labels).toEqual(made.metadata.labels);
  expect(secret.metadata.ownerReferences).toMatchObject([{ kind: "CronJob", name: "nightly", uid: "u" }]);
  expect(released.spec).toEqual({ suspend: false });

  const refusing = await clusterOfTest(undefined, true);
  await expect(applySchedule(refusing.cluster, program, when, refusing.options)).rejects.toThrow();
  expect(refusing.sent.map(({ what }) => what)).toEqual(["POST cronjobs", "POST secrets", "DELETE cronjobs"]);
});

it("changes with one request, after what it needs is there, and stays paused", async () => {
  const { cluster: own } = await clusterOfTest();
  const annotations = { "slipway/version": "nightly-00000000", "slipway/released": "2026-01-01T00:00:00Z" };
  const { sent, cluster, options } = await clusterOfTest(schedule(own.owner, { annotations }));
  expect(await applySchedule(cluster, program, when, options)).toMatchObject({ change: "updated" });
  expect(sent.map(({ what }) => what)).toEqual([
    "POST secrets",
    "PATCH cronjobs",
    "DELETE secrets/nightly-00000000-input",
    "DELETE secrets/nightly-00000000-pull",
  ]);
  expect(JSON.parse(sent[1]?.body ?? "")).toMatchObject([
    { op: "replace", path: "/spec", value: { suspend: true } },
    { op: "add", path: "/metadata/annotations" },
  ]);
  const refusing = await clusterOfTest(schedule(own.owner, { annotations }), true);
  await expect(applySchedule(refusing.cluster, program, when, refusing.options)).rejects.toThrow();
  expect(refusing.sent.map(({ what }) => what)).toEqual(["POST secrets"]);
});

it.each(["../pods/victim?", "../../../kube-system/secrets/x", "%2e%2e", "a/b", "", "-a b"])(
  "deletes nothing but its own Secrets for a version %j that somebody else wrote",
  async (version) => {
    const { cluster: own } = await clusterOfTest();
    const { sent, cluster, options } = await clusterOfTest(
      schedule(own.owner, { annotations: { "slipway/version": version } }),
    );
    await applySchedule(cluster, program, when, options);
    expect(sent.map(({ what }) => what)).toEqual(["POST secrets", "PATCH cronjobs"]);
  },
);

it("that was left unfinished is not resumed, but made whole by the next one", async () => {
  const { cluster: own } = await clusterOfTest();
  const { sent, cluster, options } = await clusterOfTest(schedule(own.owner));
  expect(await listSchedules(cluster, false)).toMatchObject([{ name: "nightly", state: "unfinished" }]);
  await expect(pauseSchedule(cluster, "nightly", false)).rejects.toThrow(userErrorWith("job-state", "nightly"));
  await applySchedule(cluster, program, when, options);
  const patch = sent.find(({ what }) => what === "PATCH cronjobs");
  expect(JSON.parse(patch?.body ?? "")[0].value.suspend).toBe(false);
});

it("leaves the schedules of others alone", async () => {
  const unlike = [schedule("somebody-else"), { ...schedule(""), metadata: { name: "nightly", uid: "u" } }];
  for (const found of unlike) {
    const { sent, cluster, options } = await clusterOfTest(found);
    const applied = applySchedule(cluster, program, when, options);
    await expect(applied).rejects.toThrow(userErrorWith("job-state", "nightly"));
    expect(sent).toEqual([]);
  }
  const { cluster } = await clusterOfTest();
  await expect(pauseSchedule(cluster, "nightly", true)).rejects.toThrow(userErrorWith("job-not-found", "nightly"));
  await expect(pauseSchedule(cluster, "../x", true)).rejects.toThrow(userErrorWith("job-not-found", "../x"));
});
