import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { apiServer, list, refuse } from "../../kubernetes/testdata/api-server.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import { KubernetesEngine } from "./engine.ts";
import { shell } from "./testdata/program.ts";

const image = `r.example.com/a@sha256:${"0".repeat(64)}`;
const theirs = { metadata: { name: "theirs", resourceVersion: "7" }, data: { password: btoa("geheim") } };

/** A cluster with one Secret. */
async function clusterOfTest() {
  const sent: { readonly what: string; readonly body: string }[] = [];
  const env = await apiServer(async (request, response) => {
    const { method = "", url } = request;
    const body = await text(request);
    if (method !== "GET") sent.push({ what: `${method} ${/(jobs|secrets)/.exec(url)?.[1]}`, body });
    if (url.endsWith("/secrets/theirs")) return void response.end(JSON.stringify(theirs));
    if (url.includes("/secrets/")) return refuse(response, 404);
    if (method === "GET") return void response.end(list([]));
    response.end(JSON.stringify({ metadata: { name: "a", uid: "u" } }));
  });
  return { sent, env, engine: new KubernetesEngine(env) };
}

it("has the value of a secret in the job's own Secret alone, and refers to those that the cluster has", async () => {
  const { sent, env, engine } = await clusterOfTest();
  await new LocalSecrets(env).set("here", Buffer.from("hunter2"));
  const id = await engine.submit(shell(image, "run", { env: { A: "SECRET:here", B: "SECRET:theirs", C: "plain" } }));
  expect(sent.map(({ what }) => what)).toEqual(["POST jobs", "POST secrets", "PATCH jobs"]);
  const [job, secret] = sent.map(({ body }) => JSON.parse(body));
  const { env: variables } = job.spec.template.spec.containers[0];
  expect(variables).toContainEqual({
    name: "B",
    valueFrom: { secretKeyRef: { name: "theirs", key: "password" } },
  });
  expect(secret.data).toEqual({ "variable.A": btoa("hunter2"), "variable.C": btoa("plain") });
  expect(secret.metadata.ownerReferences).toMatchObject([{ kind: "Job", uid: "u" }]);
  const notes = readdirSync(env["HOME"] as string, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "here")
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  expect(notes.join()).toContain(id.replace("k8s:", ""));
  for (const value of ["hunter2", "geheim"]) {
    for (const form of [value, btoa(value)]) {
      const holders = sent.filter(({ body }) => body.includes(form)).map(({ what }) => what);
      expect(holders).toEqual(form === btoa("hunter2") ? ["POST secrets"] : []);
      expect(notes.join()).not.toContain(form);
    }
  }
});

it("makes nothing where a secret is missing", async () => {
  const { sent, engine } = await clusterOfTest();
  const submitted = engine.submit(shell(image, "run", { env: { A: "SECRET:nowhere" } }));
  await expect(submitted).rejects.toThrow(userErrorWith("secret-not-found", "SECRET:nowhere"));
  expect(sent).toEqual([]);
});

it("makes a job of 200 items with the requests of a job without any", async () => {
  const seeds = Array.from({ length: 200 }, (_, index) => String(index));
  const requests: string[][] = [];
  for (const matrix of [{}, { matrix: { SEED: seeds } }]) {
    const { sent, engine } = await clusterOfTest();
    await engine.submit(shell(image, "run", { env: { A: "plain" }, ...matrix }));
    requests.push(sent.map(({ what }) => what));
  }
  expect(requests[1]).toEqual(requests[0]);
});
