import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { installedClient, makeImage } from "../../containers/testdata/image.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import type { Change } from "../change.ts";
import type { ApplyOptions } from "../engine.ts";
import { serviceOf } from "../testdata/service.ts";
import { applyService, end, planService } from "./apply.ts";
import { Containers } from "./containers.ts";
import { factsOf } from "./facts.ts";
import { followLogs, writeLogs } from "./logs.ts";
import { bringImage, exactImage } from "./prepare.ts";
import { statusesOf } from "./status.ts";

const client = installedClient();

/** Greets, says when it is ready, and ends when asked to. */
const server = `
const http = require("node:http");
const started = Date.now();
console.log("hello from", process.env.NAME);
http.createServer((request, response) => {
  const isReady = request.url !== "/ready" || Date.now() - started > 500;
  response.writeHead(isReady ? 200 : 503).end(process.env.NAME + " " + process.getuid());
}).listen(80);
process.on("SIGTERM", () => { console.log("bye"); process.exit(); });
`;

describe(`a service on ${client.name}`, () => {
  let made: ReturnType<typeof makeImage>;
  let containers: Containers;
  let name: string;
  let home: string;
  const notices: string[] = [];

  beforeAll(() => {
    made = makeImage(client);
    home = mkdtempSync(join(tmpdir(), "slipway-services-"));
  });
  afterAll(() => {
    made.remove();
    rmSync(home, { recursive: true });
  });
  beforeEach(() => {
    name = `t-${randomBytes(4).toString("hex")}`;
    containers = new Containers(client, process.env);
    notices.length = 0;
  });
  afterEach(async () => {
    for (const each of await containers.list(name)) await containers.remove(each.name);
  });

  const specOf = (more: object = {}) => {
    const command = ["/bin/node", "-e", server];
    const spec = { name, image: made.image, port: 80, command, env: [{ name: "NAME", value: "first" }], ...more };
    return serviceOf(spec);
  };
  const changes: Change[] = [];
  const options: ApplyOptions = {
    isRolledBack: false,
    onChange: (change) => void changes.push(change),
    notice: (text) => void notices.push(text),
  };
  const waiting: ApplyOptions = { ...options, timeLimit: 30 };
  const prepare = async (service: ReturnType<typeof specOf>) => {
    const image = await exactImage(containers, service, process.env);
    await bringImage(containers, service, image, process.env, options.notice);
    return {
      service,
      facts: factsOf(service, image, { cpu: 0.5, memory: 2 ** 28, gpu: 0, nodeSelector: {}, tolerations: [] }, []),
      bring: async () => ({}),
    };
  };
  const apply = async (more: object = {}, how = waiting, through = containers) => {
    changes.length = 0;
    await applyService(through, await prepare(specOf(more)), how);
    return [...changes];
  };
  const status = async () => (await statusesOf(await containers.list(name)))[0];
  const answer = async (endpoint = "") => (await fetch(`http://${endpoint}/`)).text();
  const env = (value: string) => ({ env: [{ name: "NAME", value }] });

  it("answers, and is not made twice", async () => {
    const readiness = { readiness: { path: "/ready" } };
    expect(await apply({ healthChecks: readiness })).toEqual([
      { action: "create", kind: "Container", name: `${name}-0` },
    ]);
    const { endpoints = [], ...rest } = (await status()) ?? {};
    expect(rest).toMatchObject({ name, state: "ready", replicas: { wanted: 1, ready: 1, old: 0 } });
    expect(await answer(endpoints[0])).toBe("first 1000");
    expect(await apply({ healthChecks: readiness })).toEqual([]);
    const lines: string[] = [];
    await writeLogs(containers, await containers.list(name), (line) => void lines.push(line.toString()));
    expect(lines).toEqual(["hello from first\n"]);
  });

  it("changes one after the other, at the same ports", async () => {
    await apply({ resources: { replicas: 2 } });
    const before = (await status())?.endpoints ?? [];
    expect(new Set(before).size).toBe(2);
    const expected = [0, 1].map((replica) => ({
      action: "change",
      kind: "Container",
      name: `${name}-${replica}`,
      fields: ["env.NAME"],
      // Without its value.
      differences: [{ field: "env.NAME" }],
    }));
    const service = specOf({ resources: { replicas: 2 }, ...env("second") });
    expect(await planService(containers, service, (await prepare(service)).facts)).toEqual(expected);
    expect(await apply({ resources: { replicas: 2 }, ...env("second") })).toEqual(expected);
    expect(notices.filter((words) => /stops, then starts.* the other replicas do\.$/.test(words))).toHaveLength(2);
    expect((await status())?.endpoints).toEqual(before);
    expect(await Promise.all(before.map(answer))).toEqual(["second 1000", "second 1000"]);
    expect(await apply(env("second"))).toEqual([{ action: "delete", kind: "Container", name: `${name}-1` }]);
    expect(await apply({ enabled: false })).toEqual([{ action: "delete", kind: "Container", name: `${name}-0` }]);
    expect(await containers.list(name)).toEqual([]);
  });

  it("that does not get ready says why, and what ran before runs again where that is wanted", async () => {
    await apply();
    const before = await status();
    const broken = { command: ["/bin/node", "-e", "console.log('no database'); process.exit(3)"] };
    const failed = expect(apply(broken, { ...waiting, isRolledBack: true })).rejects;
    await failed.toThrow(failureWith("service-not-ready", `${name}-0`));
    await failed.toThrow(/ status 3\. .*\n( {2}no database\n)+.*\nThe previous version is running again\.$/s);
    expect(await status()).toEqual(before);
    expect(await answer(before?.endpoints[0])).toBe("first 1000");
    await expect(apply(broken)).rejects.toThrow("--rollback");
    expect((await containers.list(name)).map(({ facts }) => facts.command?.[2])).toEqual([broken.command[2]]);
  });

  it("that cannot be started leaves its predecessor running", async () => {
    await apply();
    const before = await status();
    const failed = expect(apply({ command: ["/nothing"] })).rejects;
    await failed.toThrow(userErrorWith("image-unsuitable"));
    await failed.toThrow(/\/nothing.*\nCheck its command/s);
    await expect.poll(status, { timeout: 20_000 }).toEqual(before);
  });

  it("is followed through changes, until there is none any more", async () => {
    await apply();
    const lines: string[] = [];
    const followed = followLogs(containers, name, (some) => void lines.push(...some.toString().split(/(?<=\n)/)));
    await expect.poll(() => lines, { timeout: 20_000 }).toEqual(["hello from first\n"]);
    await apply(env("second"));
    await expect.poll(() => lines, { timeout: 20_000 }).toContain("hello from second\n");
    const [found] = await containers.list(name);
    await containers.stop(found?.name ?? "");
    await apply(env("second"));
    const expected = ["first", "second", "second"].map((value) => `hello from ${value}\n`);
    const hellos = () => lines.filter((line) => line !== "bye\n");
    await expect.poll(hellos, { timeout: 20_000 }).toEqual(expected);
    for (const each of await containers.list(name)) await end(containers, each);
    await followed;
    expect(hellos()).toEqual(expected);
  });

  it("keeps its ports where whoever stopped its predecessor was interrupted", async () => {
    const stubborn = "process.on('SIGTERM', () => {}); require('node:http').createServer(() => {}).listen(80)";
    await apply({ command: ["/bin/node", "-e", stubborn] });
    const before = await status();
    const [found] = await containers.list(name);
    const stopping = spawn(client.path, ["stop", "--time=60", found?.name ?? ""], { stdio: "ignore" });
    onTestFinished(() => void stopping.kill("SIGKILL"));
    await expect
      .poll(async () => (await containers.list(name))[0]?.state, { timeout: 20_000 })
      .toBe(client.name === "podman" ? "stopping" : "running");
    stopping.kill("SIGKILL");
    // The program does not end by itself.
    const impatient = new (class extends Containers {
      override stop(of: string): Promise<void> {
        return this.ask(["stop", "--time=1", of]).then(() => {});
      }
    })(client, process.env);
    await apply({}, waiting, impatient);
    expect(await status()).toMatchObject({ state: "ready", endpoints: before?.endpoints });
  });

  it("may have more variables than a label has room for", async () => {
    const many = Array.from({ length: 1500 }, (_, index) => ({ name: `VARIABLE_${index}`, value: "é" }));
    await apply({ env: [{ name: "NAME", value: "first" }, ...many] });
    expect(await answer((await status())?.endpoints[0])).toBe("first 1000");
    expect(await apply({ env: [{ name: "NAME", value: "first" }, ...many] })).toEqual([]);
  });

  it("is started again when it was stopped, and made again when it was removed", async () => {
    await apply();
    const [found] = await containers.list(name);
    await containers.stop(found?.name ?? "");
    expect(await status()).toMatchObject({
      state: "changing",
      reason: `${name}-0 does not run: it has ended with status 0.`,
    });
    expect(await apply()).toEqual([{ action: "start", kind: "Container", name: `${name}-0` }]);
    await containers.remove(found?.name ?? "");
    expect(await apply()).toEqual([{ action: "create", kind: "Container", name: `${name}-0` }]);
    for (const each of await containers.list(name)) await end(containers, each);
    expect(await containers.list(name)).toEqual([]);
  });

  it("that was interrupted at any command is completed by the next time", async () => {
    /** Fails at one command, as when this process is killed: nothing is done after it. */
    class Interrupted extends Containers {
      left: number;
      constructor(left: number) {
        super(client, process.env);
        this.left = left;
      }
      override async ask(...args: Parameters<Containers["ask"]>): Promise<string> {
        this.left -= 1;
        if (this.left < 0) throw new Error("interrupted");
        return super.ask(...args);
      }
    }
    let commands = 0;
    for (let isDone = false; !isDone; commands += 1) {
      await apply({ ...env(`first ${commands}`), resources: { replicas: 2 } }, options);
      const interrupted = new Interrupted(commands);
      isDone = await apply(env(`second ${commands}`), options, interrupted).then(
        () => true,
        () => false,
      );
      await apply(env(`second ${commands}`), options);
      expect(await containers.list(name)).toMatchObject([{ replica: 0, state: "running" }]);
      const answered = async () => answer((await status())?.endpoints[0]).catch(() => "");
      await expect.poll(answered, { timeout: 20_000 }).toBe(`second ${commands} 1000`);
      expect(await apply(env(`second ${commands}`), options)).toEqual([]);
    }
    expect(commands).toBeGreaterThan(6);
  }, 300_000);

  it("may not be root", async () => {
    const service = { ...specOf(), image: "localhost/slipway-test-root:latest" };
    const containersWithRoot = { ...containers, image: async () => ({ id: "sha256:0", user: "" }) };
    await expect(
      bringImage(containersWithRoot as unknown as Containers, service, "sha256:0", process.env, options.notice),
    ).rejects.toThrow(userErrorWith("image-unsuitable", service.image));
  });
});
