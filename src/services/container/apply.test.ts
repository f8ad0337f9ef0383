import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Failure } from "../../core/errors.ts";
import { failureWith } from "../../core/testdata/reported.ts";
import type { ApplyOptions } from "../engine.ts";
import { serviceOf } from "../testdata/service.ts";
import { applyService } from "./apply.ts";
import type { Containers, Found, NewContainer } from "./containers.ts";
import { containerNameOf, type Facts, factsOf, hashOf } from "./facts.ts";

const image = `a.io/b@sha256:${"a".repeat(64)}`;

const serviceWith = (more: object = {}) => serviceOf({ image: "a.io/b", port: 8080, ...more });
const factsWith = (more: object = {}) => factsOf(serviceWith(more), image, undefined, []);

/** What podman does, as far as it is asked here. */
class Engine {
  readonly client = { name: "podman", path: "" } as const;
  readonly there = new Map<string, Found>();
  /** Called before a container starts. */
  onStart: (name: string) => void = () => {};

  put(facts: Facts, port: number, more: Partial<Found> = {}): Found {
    const labelled = { service: "web", replica: 0, hash: hashOf(facts), facts };
    const common = {
      exitCode: 0,
      isOutOfMemory: false,
      restarts: 0,
      startedAt: "2026-01-01T00:00:00Z",
      state: "running",
    };
    const found = {
      ...common,
      ...labelled,
      name: containerNameOf(labelled),
      hostPorts: new Map([[8080, port]]),
      ...more,
    };
    this.there.set(found.name, found);
    return found;
  }
  #get(name: string): Found {
    const found = this.there.get(name);
    if (!found) throw new Error(`podman failed: no such container ${name}`);
    return found;
  }
  async list() {
    return [...this.there.values()];
  }
  async find(name: string) {
    return this.there.get(name);
  }
  async create({ facts, hostPorts }: NewContainer) {
    this.put(facts, hostPorts.get(8080) ?? 0, { state: "created" });
  }
  async start(wanted: NewContainer) {
    await this.resume({ name: containerNameOf(wanted) });
  }
  async resume({ name }: Pick<Found, "name">) {
    this.there.set(name, { ...this.#get(name), state: "running" });
    this.onStart(name);
  }
  async stop(name: string) {
    this.there.set(name, { ...this.#get(name), state: "exited" });
  }
  async remove(name: string) {
    this.there.delete(name);
  }
  async listens() {
    return false;
  }
  async logs() {}
}

/** A port of loopback behind which somebody answers. */
async function answering(): Promise<number> {
  const server = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return (server.address() as AddressInfo).port;
}

/** A port of loopback behind which nobody is. */
async function silent(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function apply(engine: Engine, more: object, options: Partial<ApplyOptions>): Promise<void> {
  const prepared = { service: serviceWith(more), facts: factsWith(more), bring: async () => ({}) };
  const nobody = { onChange: () => {}, notice: () => {} };
  return applyService(engine as unknown as Containers, prepared, { isRolledBack: false, ...nobody, ...options });
}

it("is waited for where it was right already", async () => {
  const engine = new Engine();
  engine.put(factsWith(), await silent());
  await apply(engine, {}, {});
  for (const isRolledBack of [false, true]) {
    await expect(apply(engine, {}, { timeLimit: 0.5, isRolledBack })).rejects.toThrow(
      failureWith("service-not-ready", "web-0"),
    );
  }
  expect(engine.there.size).toBe(1);
});

it("has the ports of a predecessor that is stopping still, once that has ended", async () => {
  const engine = new Engine();
  const before = engine.put(factsWith(), await answering(), { state: "stopping" });
  engine.onStart = () => expect(engine.there.get(before.name)?.state).toBe("exited");
  await apply(engine, { command: ["new"] }, {});
  expect(await engine.list()).toMatchObject([{ state: "running", hostPorts: before.hostPorts }]);
});

it("is asked to end, rather than killed, where it is stopping still and is the right one", async () => {
  const engine = new Engine();
  const { name } = engine.put(factsWith(), await answering(), { state: "stopping" });
  const stopped: string[] = [];
  const stop = engine.stop.bind(engine);
  engine.stop = (each) => {
    stopped.push(each);
    return stop(each);
  };
  await apply(engine, {}, {});
  expect(stopped).toEqual([name]);
  expect(await engine.list()).toMatchObject([{ name, state: "running" }]);
});

it.each(["paused", "stopping", "dead"])("is there afterwards in place of the same one that is %s", async (state) => {
  const engine = new Engine();
  const { name } = engine.put(factsWith(), await answering(), { state });
  await apply(engine, {}, {});
  expect(await engine.list()).toMatchObject([{ name, state: "running" }]);
});

it("has the ports of a predecessor that is paused", async () => {
  const engine = new Engine();
  const before = engine.put(factsWith(), await answering(), { state: "paused" });
  engine.onStart = () => expect(engine.there.has(before.name)).toBe(false);
  await apply(engine, { command: ["new"] }, {});
  expect(await engine.list()).toMatchObject([{ state: "running", hostPorts: before.hostPorts }]);
});

it("is not ready while its program ends seconds after each start, though it answers", async () => {
  const engine = new Engine();
  const { name } = engine.put(factsWith(), await answering());
  engine.find = async () => {
    const found = engine.there.get(name);
    return found && { ...found, startedAt: new Date().toISOString() };
  };
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const applied = apply(engine, {}, { timeLimit: 4 });
  await expect(applied).rejects.toThrow(failureWith("service-not-ready", "web-0"));
  const words = "its program has run for 0 s, and counts after 5 s";
  expect(said.mock.calls.map(([text]) => text)).toEqual([`slipway: Waiting for container ${name}: ${words} (3 s)\n`]);
});

it.each([true, false])("says whether its program listens where its port does not answer: %s", async (listens) => {
  const engine = new Engine();
  const port = await silent();
  engine.put(factsWith(), port);
  engine.listens = async () => listens;
  const error = (await apply(engine, {}, { timeLimit: 0.1 }).catch((error: unknown) => error)) as Failure;
  expect(error).toEqual(failureWith("service-not-ready", "web-0"));
  const words = `listens on port 8080, but 127.0.0.1:${port} does not lead there`;
  expect(error.problem.includes(words)).toBe(listens);
  expect(error.problem.includes(`iptables -t nat -S | grep ${port}`)).toBe(listens);
});

it("is ready however often its program has ended before", async () => {
  const engine = new Engine();
  engine.put(factsWith(), await answering(), { restarts: 7 });
  await apply(engine, {}, { timeLimit: 5 });
});

it("goes back to what ran where its new container is gone", async () => {
  const engine = new Engine();
  const before = engine.put(factsWith(), await answering());
  engine.onStart = (name) => void (name === before.name || engine.there.delete(name));
  await expect(apply(engine, { command: ["new"] }, { timeLimit: 5, isRolledBack: true })).rejects.toThrow(
    /someone removed it\..*\nThe previous version is running again\.$/,
  );
  expect(await engine.list()).toEqual([before]);
});

it("keeps what ran where that cannot be started again, and says both", async () => {
  const engine = new Engine();
  const before = engine.put(factsWith(), await answering());
  engine.onStart = (name) => {
    if (name === before.name) throw new Error("No space left on device.");
    engine.there.delete(name);
  };
  await expect(apply(engine, { command: ["new"] }, { timeLimit: 5, isRolledBack: true })).rejects.toThrow(
    /someone removed it\..*\n.*No space left on device\./,
  );
  expect([...engine.there.keys()]).toEqual([before.name]);
});
