import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { serviceOf } from "../testdata/service.ts";
import { stepsTo } from "./apply.ts";
import { openContainers } from "./apply-file.ts";
import { type Containers, createArguments, type Found } from "./containers.ts";
import {
  containerNameOf,
  type Facts,
  factsOf,
  hashOf,
  type Labelled,
  labelFile,
  publishedPorts,
  readLabels,
} from "./facts.ts";
import { chooseHostPorts, type HostPorts } from "./ports.ts";
import { exactImage } from "./prepare.ts";
import { askHealth } from "./ready.ts";

const serviceWith = (more: object = {}) =>
  serviceOf({ image: "a.io/b", port: 8080, env: [{ name: "TOKEN", value: "hunter2" }], ...more });
const type = { cpu: 2, memory: 2 ** 30, gpu: 0, nodeSelector: {}, tolerations: [] };
const image = `a.io/b@sha256:${"a".repeat(64)}`;
const factsWith = (more: object = {}) => factsOf(serviceWith(more), image, type, []);
const labelled = { service: "web", replica: 0, hash: "abc" };
const files = { labelFile: "/l", environmentFile: "/e" };
const settings = { ...files, inherited: ["TOKEN"], limits: undefined, grace: 60, runtime: undefined };
const labelsOf = (wanted: Labelled): Record<string, string> =>
  Object.fromEntries(
    labelFile(wanted)
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/=(.*)/su)),
  );

/** A server on a port of loopback. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe("what a container is made of", () => {
  it("has one hash, and no value of a variable", () => {
    const facts = factsWith();
    expect(hashOf(facts)).toBe(hashOf(JSON.parse(JSON.stringify(facts))));
    expect(hashOf(facts)).not.toBe(hashOf(factsWith({ env: [{ name: "TOKEN", value: "other" }] })));
    expect(JSON.stringify(facts)).not.toContain("hunter2");
  });

  it("changes with the version of a secret, and has nothing of its value", () => {
    const service = serviceWith({ env: [{ name: "TOKEN", value: "SECRET:token" }] });
    const hash = (value: string, version: string) =>
      hashOf(factsOf({ ...service, secrets: { TOKEN: { value, version } } }, image, type, []));
    expect(hash("one", "1")).toBe(hash("two", "1"));
    expect(hash("one", "1")).not.toBe(hash("one", "2"));
  });

  it("is read back from its labels", () => {
    const wanted = { ...labelled, replica: 1, facts: factsWith({ command: ["a=b", "ü\nx"] }) };
    expect(readLabels(labelsOf(wanted))).toEqual(wanted);
    expect(readLabels({ "slipway/service": "web" })).toBeUndefined();
    expect(containerNameOf(wanted)).toBe("slipway-web-1-abc");
  });

  it("is read back from as many labels as it takes, each of which fits into a line of a file", () => {
    const wanted = { ...labelled, facts: factsWith({ command: ["🎉é".repeat(20_000), "🎉é".repeat(20_000)] }) };
    for (const line of labelFile(wanted).split("\n")) expect(Buffer.byteLength(line)).toBeLessThan(64 * 1024);
    const labels = labelsOf(wanted);
    expect(readLabels(labels)).toEqual(wanted);
    const { "slipway/facts.1": _, ...incomplete } = labels;
    expect(readLabels(incomplete)).toBeUndefined();
  });

  it("has its ports on loopback, and no value of a variable on a command line", () => {
    const facts = factsWith({ port: 80, command: ["/bin/x", "--y"] });
    const hostPorts = new Map([[80, 8080]]);
    const wanted = { ...labelled, facts, env: { TOKEN: "hunter2" }, mounts: { "/opt/models": "/v/m" }, hostPorts };
    const args = createArguments({ name: "podman", path: "" }, wanted, settings);
    expect(args).toEqual(
      expect.arrayContaining([
        "--publish=127.0.0.1:8080:80/tcp",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
        "--sysctl=net.ipv4.ip_unprivileged_port_start=0",
        "--memory=1073741824b",
        "--cpus=2",
        "--env=TOKEN",
        "--env-file=/e",
        "--mount=type=bind,source=/v/m,destination=/opt/models,readonly",
        '--entrypoint=["/bin/x"]',
      ]),
    );
    expect(args.slice(-2)).toEqual([image, "--y"]);
    expect(args.join(" ")).not.toContain("hunter2");
    expect(createArguments({ name: "docker", path: "" }, wanted, settings)).toContain("--entrypoint=/bin/x");
  });

  it("sees no other folder of this machine by what is in a path", () => {
    const mounts = { '/opt/a,source=/etc,"b"': "/v/m" };
    const wanted = { ...labelled, facts: factsWith(), env: {}, mounts, hostPorts: new Map() };
    expect(createArguments({ name: "podman", path: "" }, wanted, settings)).toContain(
      '--mount=type=bind,source=/v/m,"destination=/opt/a,source=/etc,""b""",readonly',
    );
  });

  it("publishes what health checks ask as well", () => {
    expect(
      publishedPorts(serviceWith({ healthChecks: { readiness: { path: "/", port: 9 }, liveness: { path: "/" } } })),
    ).toEqual([8080, 9]);
  });
});

describe("ports", () => {
  it("are those of before, else the service's own for its first container, else free ones", async () => {
    const free = await listening(createServer());
    const taken = await listening(createServer());
    expect(await chooseHostPorts([1], 0, new Map([[1, free]]))).toEqual(new Map([[1, free]]));
    const chosen = await chooseHostPorts([taken, taken + 1], 0, new Map());
    expect(chosen.get(taken)).not.toBe(taken);
    expect(new Set(chosen.values()).size).toBe(2);
    expect((await chooseHostPorts([0xfffe], 1, new Map())).get(0xfffe)).not.toBe(0xfffe);
  });
});

describe("health", () => {
  it("is what a path answers", async () => {
    const server = createHttpServer((request, response) => {
      if (request.url !== "/silent") response.writeHead(Number(request.url?.slice(1))).end();
    });
    const port = await listening(server);
    expect(await askHealth({ path: "/204" }, port)).toBeUndefined();
    expect(await askHealth({ path: "/302" }, port)).toBeUndefined();
    expect(await askHealth({ path: "/503" }, port)).toBe(`http://127.0.0.1:${port}/503 answers 503`);
    expect(await askHealth({ path: "/silent", timeoutSeconds: 0.1 }, port)).toMatch("has no answer within 0.1 s");
    server.closeAllConnections();
  });

  it("is an open port, and none that only seems to be", async () => {
    expect(await askHealth(undefined, await listening(createServer()))).toBeUndefined();
    // What publishes ports may take connections by itself.
    const proxy = await listening(createServer((socket) => socket.destroy()));
    expect(await askHealth(undefined, proxy)).toMatch(/nothing listens behind|takes no connection/);
    const closed = createServer();
    const port = await listening(closed);
    await new Promise((resolve) => closed.close(resolve));
    expect(await askHealth(undefined, port)).toBe(`127.0.0.1:${port} takes no connection (ECONNREFUSED)`);
  });
});

describe("what is to be done", () => {
  const facts = factsWith();
  const found = (replica: number, more: Partial<Found> = {}): Found => ({
    ...{ service: "web", replica, facts, hash: hashOf(facts), state: "running", exitCode: 0, isOutOfMemory: false },
    ...{ restarts: 0, startedAt: "", hostPorts: new Map() as HostPorts, name: `c${replica}` },
    ...more,
  });
  const words = (goal: Facts, replicas: number, existing: readonly Found[]) =>
    stepsTo({ service: "web", replicas, facts: goal, hash: hashOf(goal) }, existing).map(
      ({ change: { action, name, fields = [] }, former }) =>
        `${action} ${name} [${fields}] ${former.map((each) => each.name)}`,
    );
  const older = factsWith({ env: [{ name: "OTHER", value: "1" }], port: 81 });

  it.each<[string, number, readonly Found[], readonly string[]]>([
    ["nothing", 1, [found(0)], []],
    ["all that is missing", 2, [found(0)], ["create web-1 [] "]],
    ["a start", 1, [found(0, { state: "exited" })], ["start web-0 [] "]],
    ["a change", 1, [found(0, { facts: older, hash: "old" })], ["change web-0 [env.OTHER,env.TOKEN,ports[0]] c0"]],
    [
      "the rest of a change that was interrupted",
      1,
      [found(0, { state: "created" }), found(0, { facts: older, hash: "old", name: "old" })],
      ["change web-0 [env.OTHER,env.TOKEN,ports[0]] old"],
    ],
    ["another one for one that cannot be started", 1, [found(0, { state: "paused" })], ["change web-0 [state] c0"]],
    [
      "the rest of a change whose stop was interrupted",
      1,
      [found(0, { state: "created" }), found(0, { facts: older, hash: "old", name: "old", state: "stopping" })],
      ["change web-0 [env.OTHER,env.TOKEN,ports[0]] old"],
    ],
    ["less", 1, [found(0), found(1), found(2)], ["delete web-1 [] c1", "delete web-2 [] c2"]],
    ["nothing left", 0, [found(0)], ["delete web-0 [] c0"]],
  ])("%s", (_, replicas, existing, expected) => {
    expect(words(facts, replicas, existing)).toEqual(expected);
  });
});

it("says what services can do where there are no containers", async () => {
  const env = { PATH: "/nothing", HOME: "/nothing" };
  await expect(openContainers(env)).rejects.toThrow(/or run services in Kubernetes with --engine kubernetes\.$/);
  const away = { CONTAINER_HOST: "ssh://elsewhere" };
  const containers = { client: { name: "podman", path: "" } } as unknown as Containers;
  await expect(exactImage(containers, serviceWith({ image: "localhost:5000/a" }), away)).rejects.toThrow(
    /or run services in Kubernetes with --engine kubernetes\.$/,
  );
});
