import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import { acceptSocket, apiServer, list, type TestSocket } from "../../kubernetes/testdata/api-server.ts";
import { labelsOf } from "./manifest.ts";
import { openService } from "./open.ts";

type Answer = (socket: TestSocket, data: Buffer) => void;

const revision = { "deployment.kubernetes.io/revision": "1" };
const common = { uid: "d", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };

function podOf(name: string, hash: string) {
  const labels = { ...labelsOf("web"), "pod-template-hash": hash };
  const conditions = [{ type: "Ready", status: "True" }];
  return { metadata: { ...common, name, labels }, spec: { containers: [] }, status: { phase: "Running", conditions } };
}

/**
 * A service whose pods answer what comes from channel 0; "gone": there is no such pod.
 *
 * @returns its address, the pods that were asked, and what was told
 */
async function opened(pods: Readonly<Record<string, Answer | "gone">>, target?: number) {
  const asked: string[] = [];
  const containers = [{ name: "main", image: "a", ports: [{ containerPort: 8080 }] }];
  const metadata = { ...common, name: "web", labels: labelsOf("web"), annotations: revision };
  const deployment = { metadata, spec: { replicas: 1, template: { spec: { containers } } } };
  const owner = { ownerReferences: [{ uid: "d" }], labels: { ...labelsOf("web"), "pod-template-hash": "new" } };
  const set = { metadata: { ...common, ...owner, name: "web-new", annotations: revision } };
  const env = await apiServer(
    ({ url }, response) => {
      if (url.includes("watch=true")) response.flushHeaders();
      else if (url.includes("/deployments")) response.end(list([deployment]));
      else if (url.includes("/replicasets")) response.end(list([set]));
      else response.end(list(Object.keys(pods).map((name) => podOf(name, name.split("-")[0] ?? ""))));
    },
    (request, connection) => {
      const [, name = "", port = ""] = /pods\/([^/]+)\/portforward\?ports=(\d+)$/.exec(request.url) ?? [];
      asked.push(`${name}:${port}`);
      const answer = pods[name];
      if (answer === undefined || answer === "gone") {
        connection.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      const socket = acceptSocket(request, connection, (_, data) => answer(socket, data));
      for (const channel of [0, 1]) socket.send(channel, Buffer.of(0x90, 0x1f));
    },
  );
  const over = new AbortController();
  const notices: string[] = [];
  const url = Promise.withResolvers<string>();
  const options = { port: undefined, target, signal: over.signal, onUrl: url.resolve };
  const notice = (text: string) => void notices.push(text);
  const done = openService(await openCluster(env), "web", { ...options, notice });
  done.catch(url.reject);
  onTestFinished(() => over.abort());
  const { hostname, port } = new URL(await url.promise);
  /** Says something, and waits for as many bytes. */
  const say = async (text: string | Buffer, length = text.length) => {
    const client = connect(Number(port), hostname);
    client.write(text);
    const pieces: Buffer[] = [];
    for await (const piece of client) {
      pieces.push(piece as Buffer);
      if (Buffer.concat(pieces).length >= length) break;
    }
    return Buffer.concat(pieces);
  };
  return { say, asked, notices, over, done };
}

const echo: Answer = (socket, data) => socket.send(0, data);

it("carries what both sides say, of any size, until it is interrupted", async () => {
  const { say, asked, over, done } = await opened({ "new-a": echo });
  const data = randomBytes(3 * 2 ** 20);
  expect((await say(data)).equals(data)).toBe(true);
  expect(String(await say("hi"))).toBe("hi");
  expect(asked).toEqual(["new-a:8080", "new-a:8080"]);
  over.abort();
  await expect(done).rejects.toThrow("abort");
});

it("goes to the next pod where one is gone, or did not get the connection, and says the same to it", async () => {
  const refuse: Answer = (socket) => socket.send(1, Buffer.from("dial tcp4 127.0.0.1:8080: connection refused"));
  const { say, asked, notices } = await opened({ "new-a": "gone", "new-b": refuse, "new-c": echo });
  expect(String(await say("hello"))).toBe("hello");
  expect(asked).toEqual(["new-a:8080", "new-b:8080", "new-c:8080"]);
  expect(notices).toEqual([]);
});

it("says nothing twice: a pod that has answered and broke off ends the connection", async () => {
  const breaking: Answer = (socket) => {
    socket.send(0, Buffer.from("half"));
    socket.send(1, Buffer.from("connection refused"));
  };
  const { say, asked } = await opened({ "new-a": breaking, "old-b": echo });
  await say("hello", 100).catch(() => {});
  // Nor does it go to a pod of before while there is one of now.
  expect(asked).toEqual(["new-a:8080"]);
});

it("knows the ports of the service", async () => {
  await expect(opened({ "new-a": echo }, 81)).rejects.toThrow(userErrorWith("service-state", "web"));
});

it("says how many connections wait while no pod is ready", { timeout: 30_000 }, async () => {
  const { say, notices } = await opened({});
  for (const _ of [1, 2]) say("hello").catch(() => {});
  const words = /^web: no pod is ready\. 2 connections wait for one \(\d+ s\)$/;
  await expect.poll(() => notices.filter((text) => words.test(text)).length, { timeout: 20_000 }).toBe(2);
});
