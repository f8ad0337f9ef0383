import { writeFileSync } from "node:fs";
import { join } from "node:path";
import autocannon from "autocannon";
import { expect, it } from "vitest";
import { openCluster } from "../../src/kubernetes/cluster.ts";
import type { Change } from "../../src/services/change.ts";
import { rollOutFile } from "../../src/services/kubernetes/roll-out.ts";
import { frontOf } from "./testdata/front.ts";
import { nodeImages } from "./testdata/image.ts";
import { TestNamespace } from "./testdata/namespace.ts";
import { allInEmbeddedRegistry } from "./testdata/registries.ts";

/**
 * Says which it is, after a moment; is ready only once it has begun; and answers all that it was asked before it ends.
 */
const program = `
const { createServer } = require("node:http");
const server = createServer(({ url }, response) => {
  if (url === "/ready") return response.end();
  setTimeout(() => response.end(process.env.VERSION + process.env.LETTER), 20);
});
server.listen(8080);
process.on("SIGTERM", () => server.close());
`;

/** Who sends requests at a time; and how many each sends over one connection. */
const connections = 10;
const reconnectRate = 10;

/** Sends requests until it is stopped, and counts each of them. */
function load(url: string) {
  const seen = { requests: 0, answers: 0, unanswered: 0, refused: 0, errors: [] as string[] };
  const bodies = new Map<string, number>();
  const instance = autocannon({
    url,
    connections,
    reconnectRate,
    duration: 3600,
    timeout: 20,
    setupClient(client) {
      // It has one request at a time, and does not tell of one that was lost with its connection.
      let isAsking = false;
      client.on("request", () => {
        if (isAsking) seen.unanswered += 1;
        isAsking = true;
        seen.requests += 1;
      });
      client.on("headers", ({ statusCode }: { statusCode: number }) => {
        isAsking = false;
        seen.answers += 1;
        if (statusCode !== 200) seen.refused += 1;
      });
      client.on("connError", (error: Error) => seen.errors.push(error.message));
      client.on("timeout", () => seen.errors.push("timeout"));
    },
    verifyBody: (body: Buffer | string) => {
      bodies.set(String(body), (bodies.get(String(body)) ?? 0) + 1);
      return true;
    },
  });
  return {
    seen,
    bodies,
    stop: async () => {
      instance.stop();
      return await instance;
    },
  };
}

it("drops no request while a service changes", { timeout: 600_000 }, async () => {
  const namespace = await TestNamespace.make();
  const [one = "", two = ""] = await allInEmbeddedRegistry(
    nodeImages(
      { Entrypoint: ["node", "-e", program], Env: ["PATH=/bin", "VERSION=1"] },
      { Entrypoint: ["node", "-e", program], Env: ["PATH=/bin", "VERSION=2"] },
    ),
    namespace.env,
  );
  const path = join(namespace.home, "web.yaml");
  const apply = async (image: string, letter: string, replicas: number) => {
    const service = {
      image,
      port: 8080,
      env: [{ name: "LETTER", value: letter }],
      resources: { replicas },
      healthChecks: { readiness: { path: "/ready", periodSeconds: 1 } },
    };
    writeFileSync(path, JSON.stringify(service));
    const changes: Change[] = [];
    await rollOutFile({ path, name: "web.yaml" }, namespace.env, {
      timeLimit: 300,
      isRolledBack: true,
      notice: () => {},
      onChanges: (some) => changes.push(...some),
    });
    return changes.map(({ action, kind }) => `${action} ${kind}`);
  };
  await apply(one, "a", 2);
  const url = await frontOf(await openCluster(namespace.env), "web");
  // Where nobody is there yet, nothing is dropped by what is tested.
  await expect
    .poll(
      () =>
        fetch(url).then(
          (response) => response.text(),
          () => "",
        ),
      { timeout: 30_000 },
    )
    .toBe("1a");

  const { seen, bodies, stop } = load(url);
  const rows: string[] = [];
  const steps: [string, string, string, number][] = [
    ["image", two, "a", 2],
    ["variable", two, "b", 2],
    ["more replicas", two, "b", 4],
    ["fewer replicas", two, "b", 1],
    ["all at once", one, "c", 3],
  ];
  for (const [what, image, letter, replicas] of steps) {
    const before = { ...seen };
    expect(await apply(image, letter, replicas), what).toContain("change Deployment");
    rows.push(`${what}: ${seen.answers - before.answers} answers, ${seen.unanswered - before.unanswered} unanswered`);
  }
  // Pods of before are still ending.
  await expect
    .poll(async () => (await namespace.ask("get", "pods"))["items"].length, { timeout: 120_000, interval: 500 })
    .toBe(3);
  const { latency, duration } = await stop();
  const { requests, answers, unanswered, refused, errors } = seen;
  console.log(
    [
      `${requests} requests in ${Math.round(duration)} s by ${connections} clients: ${answers} answers, ${unanswered} unanswered, ${refused} with another status than 200, ${errors.length} errors.`,
      `Milliseconds: half ${latency.p50}, 99 of 100 ${latency.p99}, longest ${latency.max}. Answers by version: ${[...bodies].map(([body, count]) => `${body} ${count}`).join(", ")}.`,
      ...rows,
    ].join("\n"),
  );
  expect({ unanswered, refused, errors }).toEqual({ unanswered: 0, refused: 0, errors: [] });
  // All but those that were on their way when it was stopped.
  expect(requests - answers).toBeLessThanOrEqual(connections);
  expect([...bodies.keys()].sort()).toEqual(["1a", "1c", "2a", "2b"]);
});
